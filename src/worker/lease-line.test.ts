import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { workerProcess } from '../base/ids.js'
import { packMessage } from '../wire/control-channel.js'
import { controlFrame } from '../wire/frame.js'
import { lineBrokenReason, type ProcessExit } from '../wire/messages/terms.js'
import { LeaseLine, type LineEvents } from './lease-line.js'
import { ObjectRef } from './object-ref.js'
import { type FunctionEntry, Task } from './task.js'

const owner = workerProcess(1, 1)
const worker = workerProcess(2, 1)
const entry = { number: 0, name: 'work' } as FunctionEntry

interface End {
  readonly returned: Task[]
  readonly lost: { readonly tasks: Task[]; readonly exit: ProcessExit } | undefined
}

const closed = (line: LeaseLine): Promise<void> =>
  new Promise((resolve) => line.socket().once('close', () => resolve()))

/** Two tasks are sent to a worker of another node, and the lease ends as `close` has it. */
async function endOf(close: (line: LeaseLine, peer: Socket) => Promise<void>): Promise<End> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const returned: Task[] = []
  let resolve: (end: End) => void = () => undefined
  const promise = new Promise<End>((settle) => (resolve = settle))
  const unused = (): void => undefined
  const events: LineEvents = {
    taskAnswered: unused,
    relayEnded: unused,
    itemArrived: unused,
    progressed: unused,
    broken: unused,
    tasksReturned: (_, tasks) => void returned.push(...tasks),
    closed: () => resolve({ returned, lost: undefined }),
    lost: (_, { started, unstarted }, exit) =>
      resolve({ returned: [...returned, ...unstarted], lost: { tasks: started, exit } }),
  }
  const address = `\0unused 127.0.0.1:${port}`
  const options = { lease: 7, worker, pid: 1, address, claimSlot: 0, owner, token: '' }
  const line = new LeaseLine(options, events, () => 0)
  line.socket()
  const [peer] = (await once(server, 'connection')) as [Socket]
  peer.on('error', unused)
  await once(peer, 'data')
  for (const sequence of [1, 2]) line.add(new Task(new ObjectRef(owner, sequence), entry))
  await close(line, peer)
  const end = await promise
  peer.destroy()
  server.close()
  return end
}

test('a lease that ends before its broken connection: what was sent may have run', async () => {
  const { returned, lost } = await endOf((line, peer) => {
    line.ended(undefined)
    peer.resetAndDestroy()
    return Promise.resolve()
  })
  assert.deepEqual([returned.length, lost?.tasks.length], [0, 2])
  assert.equal(lost?.exit.reason, lineBrokenReason)
})

test('a lease that ends after its broken connection: what was sent may have run', async () => {
  const { returned, lost } = await endOf(async (line, peer) => {
    peer.resetAndDestroy()
    await closed(line)
    line.ended(undefined)
  })
  assert.deepEqual([returned.length, lost?.tasks.length], [0, 2])
})

test('a worker that says that the lease is over has not run what it did not answer', async () => {
  const { returned, lost } = await endOf((line, peer) => {
    line.ended(undefined)
    peer.end(controlFrame(packMessage({ kind: 'stale', lease: 7 })))
    return Promise.resolve()
  })
  assert.deepEqual([returned.length, lost], [2, undefined])
})
