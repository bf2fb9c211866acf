// The reference site builds, and says nothing on the way.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { root } from './ray-names.js'

test('the reference is made of the docstrings without a warning', () => {
  const typedoc = path.join(root, 'node_modules', 'typedoc', 'bin', 'typedoc')
  const args = [typedoc, '--emit', 'none', '--logLevel', 'Warn']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(stdout + stderr, '')
  assert.equal(status, 0)
})
