import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import { test } from 'node:test'
import { Readable } from 'node:stream'
import { SerializationError } from '../base/errors.js'
import { encodeValue } from './value-codec.js'

const hooks = { instanceProblem: (): string | undefined => undefined }

function refusal(value: unknown, name = 'value'): string {
  let caught: unknown
  try {
    encodeValue(value, name, hooks)
  } catch (error) {
    caught = error
  }
  assert.ok(caught instanceof SerializationError, 'the value was taken')
  return caught.message
}

function argumentsOf(..._: unknown[]): unknown {
  return arguments
}

test('names the path of what cannot travel', () => {
  const bad = Promise.resolve()
  assert.match(refusal(bad), /^value is a Promise/)
  assert.match(refusal({ a: [0, 1, 2, { sock: bad }] }), /^value\.a\[3\]\.sock is a Promise/)
  assert.match(
    refusal({ 'not an identifier': bad }, 'argument 1'),
    /^argument 1\["not an identifier"\] is/,
  )
  assert.match(refusal(new Map([['k', { x: bad }]])), /^value\.get\("k"\)\.x is/)
  assert.match(refusal(new Map([[bad, 1]])), /^value\.keys\(\)\[0\] is/)
  assert.match(refusal({ s: new Set([1, [bad]]) }), /^value\.s\.values\(\)\[1\]\[0\] is/)
  assert.match(refusal(new Error('e', { cause: { bad } })), /^value\.cause\.bad is/)
  assert.match(refusal({ [Symbol.for('k')]: bad }), /^value\[Symbol\(k\)\] is/)
  let deep: unknown = bad
  for (let i = 0; i < 5000; i++) deep = { next: deep }
  const message = refusal(deep)
  assert.match(message, /^value\.next\.next.*\.\.\..*\.next is a Promise/)
  assert.ok(message.length < 2200)
})

test('refuses what has no meaning elsewhere, by name', async () => {
  const refused: [unknown, RegExp][] = [
    [new WeakMap(), /WeakMap/],
    [new WeakSet(), /WeakSet/],
    [new WeakRef({}), /WeakRef/],
    [new (class extends WeakRef<object> {})({}), /WeakRef/],
    [new FinalizationRegistry(() => {}), /FinalizationRegistry/],
    [new (class extends Promise<void> {})(() => {}), /Promise/],
    [(function* () {})(), /generator/],
    [(async function* () {})(), /generator/],
    [[1].values(), /iterator/],
    [new Map().entries(), /iterator/],
    [argumentsOf(1), /arguments/],
    [new Proxy({}, {}), /Proxy/],
    [new Proxy(() => {}, {}), /Proxy/],
    [Object.create(new Proxy({}, {})), /Proxy/],
    [Symbol('mine'), /unique Symbol\(mine\)/],
    [Object(Symbol.iterator), /Symbol object/],
    [new SharedArrayBuffer(8), /SharedArrayBuffer/],
    [new Uint8Array(new SharedArrayBuffer(8)), /SharedArrayBuffer/],
    [Atomics, /global Atomics/],
    [Math, /global Math/],
    [globalThis, /global globalThis/],
    [await import('node:os'), /module namespace/],
    [new Intl.NumberFormat(), /NumberFormat/],
    [new AbortController().signal, /AbortSignal/],
    [new TextEncoder(), /TextEncoder/],
    [new net.Socket(), /Socket/],
    [net.createServer(), /Server/],
    [Readable.from([]), /Readable/],
    [new (class Mine extends Readable {})(), /live Mine/],
  ]
  for (const [value, why] of refused) assert.match(refusal({ value }), why)
  const timer = setTimeout(() => {}, 1)
  clearTimeout(timer)
  assert.match(refusal(timer), /timer/)
  const file = await fs.promises.open('/dev/null')
  assert.match(refusal(file), /FileHandle/)
  await file.close()
})

test('refuses a detached ArrayBuffer', () => {
  const memory = new ArrayBuffer(8)
  const view = new Uint8Array(memory)
  structuredClone(memory, { transfer: [memory] })
  assert.match(refusal({ memory }), /value\.memory has a detached ArrayBuffer/)
  assert.match(refusal({ view }), /value\.view has a detached ArrayBuffer/)
})

test('refuses one array beyond 4 GiB by name', (t) => {
  let memory: ArrayBuffer
  try {
    // Untouched pages cost nothing.
    memory = new ArrayBuffer(4.5 * 1024 ** 3)
  } catch {
    return t.skip('this machine does not give 4.5 GiB of address space')
  }
  assert.match(
    refusal({ big: memory }),
    /value\.big is one binary array of \d+ bytes, and 4 GiB is the most/,
  )
})

test('asks the hook about each instance of a class, once', () => {
  class Closed {}
  const asked: unknown[] = []
  const one = new Closed()
  const instanceProblem = (value: object): string | undefined => {
    asked.push(value)
    return asked.length === 2 ? 'it has private fields' : undefined
  }
  const two = { one, again: one, other: new Closed() }
  assert.throws(() => encodeValue(two, 'value', { instanceProblem }), {
    name: 'SerializationError',
    message: 'value.other cannot travel: it has private fields',
  })
  assert.deepEqual(asked, [one, two.other])
})

test('goes on working after a getter threw', () => {
  const bad = {
    get x(): never {
      throw new RangeError('mine')
    },
  }
  assert.throws(() => encodeValue(bad, 'value', hooks), RangeError)
  assert.equal(encodeValue(1, 'value', hooks).bytes.length, 1)
})
