import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Socket } from 'node:net'
import { inspectSerializability } from './serializability.js'
import { deregisterSerializer, registerSerializer } from './serializers.js'

const pathsOf = (value: unknown): string[] =>
  inspectSerializability(value).problems.map(({ path }) => path)

test('what can travel has no problems', () => {
  const report = inspectSerializability({ a: [1, new Map([['x', new Date()]])], f: () => 1 })
  assert.equal(report.isSerializable, true)
  assert.deepEqual(report.problems, [])
  assert.equal(String(report), 'value can travel.')
})

test('every part that cannot travel is named, with the reason', () => {
  const socket = new Socket()
  class Job {
    done = Promise.resolve()
    name = 'job'
  }
  const value = {
    list: [1, socket],
    map: new Map<string, unknown>([['w', new WeakMap()]]),
    job: new Job(),
    unique: Symbol('u'),
    fine: 1,
  }
  const report = inspectSerializability(value)
  assert.deepEqual(
    report.problems.map(({ path }) => path),
    ['value.list[1]', 'value.map.get("w")', 'value.job.done', 'value.unique'],
  )
  assert.match(report.problems[0]?.why ?? '', /Socket/)
  assert.match(String(report), /value\.job\.done: .*Promise/)
  assert.equal(report.isSerializable, false)
})

test('of a function the variable that it captures is named', () => {
  const pending = Promise.resolve()
  const f = () => pending
  const [problem] = inspectSerializability(f, 'f').problems
  assert.match(problem?.path ?? '', /f -> pending/)
  const [inside] = inspectSerializability({ run: f }).problems
  assert.match(inside?.path ?? '', /pending/)
})

test('cycles end, and an instance with private fields is named itself', () => {
  class Closed {
    readonly #x = 1
    get x() {
      return this.#x
    }
  }
  const value: Record<string, unknown> = { closed: new Closed() }
  value['self'] = value
  assert.deepEqual(pathsOf(value), ['value.closed'])
})

test('an instance with a serializer is judged by what stands for it', () => {
  class Handle {
    readonly socket = new Socket()
  }
  registerSerializer(Handle, { serialize: () => 1, deserialize: () => new Handle() })
  assert.deepEqual(pathsOf([new Handle()]), [])
  registerSerializer(Handle, {
    serialize: (handle) => ({ inner: handle.socket }),
    deserialize: () => new Handle(),
  })
  assert.match(pathsOf(new Handle())[0] ?? '', /serialize\(\) made of it\)\.inner/)
  deregisterSerializer(Handle)
})
