// Nodes on this machine for a row: each a process with a loopback address of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as ray from 'typeray'
import type { NodeOptions } from '../../src/node/node-config.js'
import type { SessionFile } from '../../src/node/session-file.js'
import { startHead, stopSession } from '../../src/node/start-head.js'

export interface BenchNodes {
  readonly sessions: readonly SessionFile[]
  join(options?: NodeOptions): Promise<SessionFile>
  close(): Promise<void>
}

const token = 'token-for-the-nodes-of-a-bench'

/** The driver of this process is on the first. */
export async function openNodes(count: number, options: NodeOptions = {}): Promise<BenchNodes> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bench-nodes-'))
  const sessions: SessionFile[] = []
  const join = async (more: NodeOptions = {}): Promise<SessionFile> => {
    const n = sessions.length + 1
    const [first] = sessions
    const head = first === undefined ? {} : { head: first.clusterAddress }
    const { session } = await startHead({
      numCpus: 1,
      objectStoreMemory: 256_000_000,
      tempDir: path.join(folder, String(n)),
      ...options,
      ...more,
      cluster: { ...head, host: `127.0.0.${n}`, port: 0, token },
    })
    sessions.push(session)
    return session
  }
  for (let n = 0; n < count; n++) await join()
  await ray.init({ address: sessions[0]?.sessionDir ?? '' })
  return {
    sessions,
    join,
    close: async () => {
      await ray.shutdown()
      for (const session of sessions.reverse()) await stopSession(session)
      rmSync(folder, { recursive: true })
    },
  }
}

/** The options that put something on a node, and nowhere else. */
export function on({ nodeId }: SessionFile): { schedulingStrategy: { nodeId: string } } {
  return { schedulingStrategy: { nodeId } }
}
