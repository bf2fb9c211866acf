// The process of one probe: `probe-main.js <contestant>`, requests as JSON lines on descriptor 3.
import { Socket } from 'node:net'
import { suites } from './suites.js'
import { JsonLines } from './json-lines.js'
import type { Contestant, ProbeReply, ProbeRequest, ProbeTable } from './probe.js'
import { Timeit } from './timeit.js'

/** A limit is measured in a process that never loads Typeray or piscina, and so on. */
const loadTable: Record<Contestant, () => Promise<ProbeTable>> = {
  typeray: async () => (await suites[process.argv[3] ?? '']?.probes()) ?? {},
  piscina: async () => (await import('./core/piscina.js')).piscinaProbes,
  limit: async () => (await import('./limits/limit-probes.js')).limitProbes,
}

let timeit: Timeit | undefined

async function open(row: string, roundMs: number): Promise<ProbeReply> {
  const table = await loadTable[process.argv[2] as Contestant]()
  const openProbe = table[row]
  if (openProbe === undefined) return { error: `there is no ${process.argv[2]} probe "${row}"` }
  timeit = new Timeit(await openProbe(), roundMs)
  await timeit.warmUp()
  return {}
}

async function answer(request: ProbeRequest): Promise<ProbeReply> {
  if (request.op === 'open') return open(request.row, request.roundMs)
  if (timeit === undefined) return {}
  if (request.op === 'round') return { value: await timeit.round() }
  if (request.op === 'close') await timeit.close()
  return {}
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

const channel = new Socket({ fd: 3 })
const lines = new JsonLines(channel, (value) => {
  const request = value as ProbeRequest
  answer(request).then(
    (reply) => {
      lines.send(reply)
      // From here on nothing of ours keeps the process alive: it ends by itself, or Typeray has
      // left something open.
      if (request.op === 'quit') lines.end()
    },
    (error: unknown) => lines.send({ error: describe(error) }),
  )
})
let hasQuit = false
channel.on('finish', () => {
  hasQuit = true
})
// The bench is gone: nobody will read what is measured here.
channel.on('end', () => {
  if (!hasQuit) process.exit(1)
})
