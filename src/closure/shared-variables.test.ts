import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rebuildClosure, serializeClosure } from './index.js'

const hooks = { isAttachment: () => false }
const ship = async (fn: Function): Promise<Function> => {
  const { bytes, attachments } = serializeClosure(fn, 'f', hooks)
  return rebuildClosure(bytes, attachments)
}

const entered: string[] = []

function counter(log: string[]) {
  let n = 0
  return {
    inc: () => {
      log.push('inc')
      return ++n
    },
    get() {
      log.push('get')
      return n
    },
    *each() {
      log.push('each')
      n++
      yield n
    },
    async *later() {
      log.push('later')
      yield n
    },
    async wait() {
      log.push('wait')
      await Promise.resolve()
      return n
    },
  }
}

describe('a variable that several functions share', () => {
  it('is still one variable for the functions of one call, and two for those of two', async () => {
    const a = counter([])
    const b = counter([])
    const moved = await ship(() => {
      a.inc()
      a.inc()
      b.inc()
      return [a.get(), b.get()]
    })
    assert.deepEqual(moved(), [2, 1])
  })

  it('is found out without running a statement of the functions, and without changing it', () => {
    const a = counter(entered)
    serializeClosure(() => a, 'f', hooks)
    assert.deepEqual(entered, [])
    assert.equal(a.get(), 0)
    assert.equal(a.inc(), 1)
  })

  it('is refused by name when that cannot be found out', () => {
    let n = 0
    class Counter {
      constructor() {
        n++
      }
    }
    const get = (): number => n
    assert.throws(() => serializeClosure(() => [Counter, get()], 'f', hooks), {
      code: 'RAY_SERIALIZATION',
      message: /f -> Counter -> n.*Counter and get may share the variable n/,
    })
  })

  it('is found out for a class through its methods', async () => {
    let n = 5
    class Counter {
      inc(): number {
        return ++n
      }
    }
    const get = (): number => n
    const moved = await ship(() => [get(), new Counter().inc(), get()])
    // At home the class is the original, which goes on with the original variable; so does what
    // shares it.
    assert.deepEqual(moved(), [5, 6, 6])
    assert.equal(n, 6)
  })

  it('needs no care when nobody that travels assigns it', async () => {
    const a = counter([])
    const c = counter([])
    a.inc()
    const [one, two] = [a.get, c.get]
    assert.deepEqual((await ship(() => [one(), two()]))(), [1, 0])
  })
})
