// The process of a GCS ends with the head that has started it, whatever it is doing.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { storagePlace } from '../../src/gcs/storage/open-storage.js'
import type { GcsConfig } from '../../src/node/gcs-config.js'

const entry = fileURLToPath(new URL('../../src/node/gcs-main.cjs', import.meta.url))

test('a GCS whose head is gone before it has stored anything ends', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'orphan-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (let n = 0; n < 3; n++) {
    const config: GcsConfig = {
      address: `@typeray-orphan-${process.pid}-${n}`,
      token: 'token-of-an-orphan',
      sessionName: 'orphan',
      storage: storagePlace('lmdb', path.join(folder, String(n))),
      validate: true,
    }
    const child = spawn(process.execPath, [entry], {
      env: { ...process.env, TYPERAY_GCS: JSON.stringify(config) },
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    child.stdin.end()
    const late = AbortSignal.timeout(60_000)
    await once(child, 'exit', { signal: late }).catch(() => assert.fail('it never ends'))
  }
})
