import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ReliableLink } from './reliable-link.js'

const frame = (n: number): Uint8Array => Buffer.from(String(n))

void describe('a reliable link', () => {
  void it('goes on behind what the other side has', () => {
    const link = new ReliableLink()
    for (let n = 1; n <= 5; n++) link.add(frame(n))
    assert.deepEqual(
      link.resume(3).map((each) => Buffer.from(each).toString()),
      ['4', '5'],
    )
    assert.equal(link.sent, 5)
    assert.equal(link.keptBytes, 2)
  })

  void it('delivers everything once and in order, however often the connection breaks', () => {
    // Each step: say something, carry one frame over, acknowledge, or break the connection.
    const step = fc.constantFrom('say', 'say', 'carry', 'carry', 'ack', 'break')
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const from = new ReliableLink()
        const to = new ReliableLink()
        const heard: string[] = []
        let said = 0
        let wire: Uint8Array[] = []
        const carry = (): void => {
          const next = wire.shift()
          if (next === undefined) return
          to.arrived()
          heard.push(Buffer.from(next).toString())
        }
        const reconnect = (): void => {
          wire = [...from.resume(to.received)]
        }
        for (const each of steps) {
          if (each === 'say') {
            const next = frame(++said)
            from.add(next)
            wire.push(next)
          } else if (each === 'carry') carry()
          else if (each === 'ack') from.acknowledge(to.received)
          else reconnect()
        }
        reconnect()
        while (wire.length > 0) carry()
        from.acknowledge(to.received)
        assert.deepEqual(
          heard,
          Array.from({ length: said }, (_, n) => String(n + 1)),
        )
        assert.equal(from.sent, said)
        assert.equal(from.keptBytes, 0)
      }),
    )
  })

  void it('begins anew after a reset', () => {
    const link = new ReliableLink()
    link.add(frame(1))
    link.arrived()
    link.reset()
    assert.deepEqual([link.sent, link.received, link.keptBytes], [0, 0, 0])
  })
})
