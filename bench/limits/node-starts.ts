// How many Node processes that do nothing this machine starts and ends per second, one at a time
// per core: nothing that gives every actor its own process can start actors faster.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import type { OpenProbe, ProbeTable } from '../probe.js'

/** As many as the row of actors starts at a time. */
const processCount = 20

const openStarts: OpenProbe = async () => ({
  kind: 'sample',
  async sample() {
    const startedMs = performance.now()
    let left = processCount
    const lanes = Array.from({ length: availableParallelism() }, async () => {
      while (left-- > 0) {
        await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
      }
    })
    await Promise.all(lanes)
    return (processCount * 1000) / (performance.now() - startedMs)
  },
})

export const nodeStartProbes: ProbeTable = { 'bare Node starts': openStarts }
