// Two ends of a link over real sockets whose connection breaks all the time.

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, describe, it } from 'node:test'
import { systemClock } from '../../base/clock.js'
import { until } from '../../testing/until.js'

process.env['TYPERAY_LINK_FAULTS'] = '7:50'
const { AcceptedLinks } = await import('./accepted-links.js')
const { DialedLink } = await import('./dialed-link.js')
const { firstFrame } = await import('./first-frame.js')
const { readLinkHello } = await import('./link-hello.js')

interface Numbered {
  readonly kind: 'numbered'
  readonly n: number
}

const count = 5000
const inFlight = 1000
const wantedConnections = 5

void describe('a link whose connection breaks', () => {
  void it('loses nothing, repeats nothing and keeps the order, both ways', async () => {
    const heard: { there: number[]; here: number[] } = { there: [], here: [] }
    let connections = 0
    const links = new AcceptedLinks<Numbered, Numbered>(systemClock, {
      opened: () => undefined,
      message: (key, { n }) => {
        heard.there.push(n)
        links.send(key, { kind: 'numbered', n })
      },
      connected: () => connections++,
      disconnected: () => undefined,
      overflowed: () => assert.fail('nothing waits for long'),
    })
    const server = createServer((socket) => {
      void firstFrame(socket, systemClock).then((first) => {
        const hello = first === undefined ? undefined : readLinkHello(first.payload)
        if (first !== undefined && hello !== undefined) {
          links.accept('other', socket, { hello, rest: first.rest })
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const bound = server.address()
    const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
    const caller = { token: '', role: 'peer', nodeId: 'other', nodeNumber: 2 } as const
    const dial = { clock: systemClock, address: `127.0.0.1:${port}`, caller: () => caller }
    const link = new DialedLink<Numbered, Numbered>(dial, {
      message: ({ n }) => heard.here.push(n),
      refused: ({ message }) => assert.fail(message),
    })
    after(() => {
      link.close()
      links.close()
      server.close()
    })
    // How many messages meet a fault depends on how many are read at once, so it goes on until
    // enough connections have broken.
    const expected: number[] = []
    while (connections < wantedConnections || expected.length < count) {
      for (let i = 0; i < 50; i++) {
        link.send({ kind: 'numbered', n: expected.length })
        expected.push(expected.length)
      }
      await until(() => heard.here.length >= expected.length - inFlight)
      assert.ok(expected.length < 100 * count, `${connections} connections`)
    }
    await until(() => heard.here.length >= expected.length)
    assert.deepEqual(heard.there, expected)
    assert.deepEqual(heard.here, expected)
  })
})
