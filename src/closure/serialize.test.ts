import assert from 'node:assert/strict'
import net from 'node:net'
import { describe, it } from 'node:test'
import { functionBytesMax } from '../base/limits.js'
import { rebuildClosure, serializeClosure, type ClosureHooks } from './index.js'

const hooks: ClosureHooks = { isAttachment: () => false }

describe('serializeClosure', () => {
  it('names the path to what cannot travel', () => {
    const conf = { deep: { sock: new net.Socket() } }
    assert.throws(() => serializeClosure(() => conf.deep.sock, 'f', hooks), {
      code: 'RAY_SERIALIZATION',
      message: /f -> conf\.deep\.sock .*node:net Socket \(a live resource of this process\)/,
      fields: { path: 'f -> conf.deep.sock' },
    })
  })

  it('refuses a function over the limit and names its biggest variable', () => {
    const table = new Uint8Array(functionBytesMax + 1)
    const small = [1, 2, 3]
    assert.throws(() => serializeClosure(() => [small, table], 'load', hooks), {
      message: /function load is too large \(96 MB > 95 MB\).*is table \(96 MB\): put .*ray\.put/,
    })
  })

  it('gives equal bytes for an equal state, and other bytes for another', () => {
    const state = { n: 1 }
    class Tool {
      run(): number {
        return state.n
      }
    }
    const f = (): number => new Tool().run()
    const bytes = (): Uint8Array => serializeClosure(f, 'f', hooks).bytes
    const first = bytes()
    assert.deepEqual(bytes(), first)
    state.n = 2
    assert.notDeepEqual(bytes(), first)
  })

  it('hands attachments over beside the bytes, one each, wherever they are', async () => {
    const ref = { id: 1 }
    const handle = (): string => 'never looked into'
    const isAttachment = (value: object): boolean => value === ref || value === handle
    const nested = { list: [ref, { handle }] }
    const f = (): unknown => [ref, handle, nested]
    const { bytes, attachments } = serializeClosure(f, 'f', { isAttachment })
    assert.deepEqual(attachments, [ref, handle])
    const moved = await rebuildClosure(bytes, ['R', 'H'])
    assert.deepEqual(moved(), ['R', 'H', { list: ['R', { handle: 'H' }] }])
  })

  it('is fast for much plain data, and the second time', () => {
    const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, name: `row ${id}` }))
    const f = (): number => rows.length
    serializeClosure(f, 'f', hooks)
    // Of the CPU, not of the clock: other processes may have most of that.
    const before = process.cpuUsage()
    serializeClosure(f, 'f', hooks)
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 2e6, `${user + system} us`)
  })

  it('takes a long chain of functions', async () => {
    let f = (x: number): number => x
    for (let i = 0; i < 3000; i++) {
      const inner = f
      f = (x) => inner(x) + 1
    }
    const moved = await rebuildClosure(serializeClosure(f, 'f', hooks).bytes, [])
    assert.equal(moved(1), 3001)
  })
})
