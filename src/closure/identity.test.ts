import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { definitionById, definitionIdOf, rebuildClosure, serializeClosure } from './index.js'

const hooks = { isAttachment: () => false }

class OwnError extends Error {}

describe('the identity of a class', () => {
  it('is the original where it was written', async () => {
    const { bytes } = serializeClosure(() => new OwnError('x'), 'f', hooks)
    const moved = await rebuildClosure(bytes, [])
    assert.ok(moved() instanceof OwnError)
  })

  it('has an id once it was serialised, by which it is found', () => {
    class Once {}
    assert.equal(definitionIdOf(Once), undefined)
    serializeClosure(() => Once, 'f', hooks)
    const id = definitionIdOf(Once)
    assert.ok(id)
    assert.equal(definitionById(id), Once)
    serializeClosure(() => [Once, 1], 'g', hooks)
    assert.equal(definitionIdOf(Once), id)
  })

  it('differs between two evaluations of one class expression', () => {
    const make = (): Function => class Made {}
    const [a, b] = [make(), make()]
    serializeClosure(() => [a, b], 'f', hooks)
    assert.notEqual(definitionIdOf(a), definitionIdOf(b))
  })
})
