import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isCompatible, packageVersion } from './version.js'

test('the version is that of package.json', () => {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  assert.equal((JSON.parse(manifest) as { version: string }).version, packageVersion)
})

test('processes of one major version that speak the same understand each other', () => {
  const mine = { version: '1.2.3', wireVersion: 4 }
  assert.ok(isCompatible(mine, mine))
  assert.ok(isCompatible(mine, { version: '1.0.0', wireVersion: 4 }))
  assert.ok(!isCompatible(mine, { version: '2.2.3', wireVersion: 4 }))
  assert.ok(!isCompatible(mine, { version: '1.2.3', wireVersion: 5 }))
})
