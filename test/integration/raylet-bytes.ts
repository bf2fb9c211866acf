// How much the process of a node has read and written, as the kernel counts it.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { SessionFile } from '../../src/node/session-file.js'

export interface ByteCounts {
  readonly read: number
  readonly written: number
}

export function bytesOf({ pid }: SessionFile): ByteCounts {
  const text = readFileSync(`/proc/${pid}/io`, 'utf8')
  const count = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? assert.fail(text))
  return { read: count('rchar'), written: count('wchar') }
}

/** What it has read and written since `before`. */
export function bytesSince(session: SessionFile, before: ByteCounts): ByteCounts {
  const { read, written } = bytesOf(session)
  return { read: read - before.read, written: written - before.written }
}
