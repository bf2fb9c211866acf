// The processes of a node, to be killed or frozen by a test.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { SessionFile } from '../../src/node/session-file.js'
import { until } from '../../src/testing/index.js'

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.trim().split(' ').map(Number).filter(Boolean)
  } catch {
    return []
  }
}

/** The process of the GCS, a child of the head's node process; undefined between two of them. */
export function gcsOf({ pid }: SessionFile): number | undefined {
  return childrenOf(pid).find((child) => commandOf(child).includes('gcs-main'))
}

export function workersOf({ pid }: SessionFile): number[] {
  return childrenOf(pid).filter((child) => commandOf(child).includes('worker-main'))
}

/** Ends a process that may have ended by itself. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
  }
}

/** Ends the GCS of a head, and waits until there is another. */
export async function killGcs(head: SessionFile): Promise<void> {
  const old = await until(() => gcsOf(head))
  process.kill(old, 'SIGKILL')
  await until(() => (gcsOf(head) ?? old) !== old)
}
