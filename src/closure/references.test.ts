import assert from 'node:assert/strict'
import path from 'node:path'
import { it } from 'node:test'
import { SerializationError } from '../base/errors.js'
import { importingModule, importReference, importReferenceOf } from './index.js'

it('a reference to an exported class leads back to the very same class', async () => {
  const reference = importReferenceOf(SerializationError)
  assert.equal(reference?.name, 'SerializationError')
  assert.match(reference.specifier, /base\/errors\.js$/)
  assert.equal(await importReference(reference), SerializationError)
})

it('a class of the entry file and a function that is no export have no reference', () => {
  class Local {}
  assert.equal(importReferenceOf(Local), undefined)
  assert.equal(
    importReferenceOf((x: number) => x),
    undefined,
  )
  assert.equal(importReferenceOf(path.join), undefined)
})

it('a module whose top level runs is known to code called from there', async () => {
  const seen: (string | undefined)[] = []
  const probe = globalThis as { probeImport?: () => void }
  probe.probeImport = () => seen.push(importingModule())
  const specifier = `data:text/javascript,globalThis.probeImport(); export const x = 1`
  const base = { parent: import.meta.url, commonjs: false, path: [], interop: undefined }
  assert.equal(await importReference({ ...base, specifier, name: 'x' }), 1)
  delete probe.probeImport
  assert.deepEqual(seen, [specifier])
  assert.equal(importingModule(), undefined)
})

it('a missing module and a missing export are errors that name both files', async () => {
  const base = { parent: import.meta.url, commonjs: false, path: [], interop: undefined }
  await assert.rejects(importReference({ ...base, specifier: './nowhere.js', name: 'x' }), {
    code: 'RAY_SERIALIZATION',
    message: /cannot import '\.\/nowhere\.js' \(from file:/,
  })
  await assert.rejects(importReference({ ...base, specifier: './cell.js', name: 'x' }), {
    message: /has no export 'x'/,
  })
})
