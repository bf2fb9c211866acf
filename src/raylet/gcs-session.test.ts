import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FromGcs, NodeHoldings, ToGcs } from '../wire/messages/gcs.js'
import { GcsSession } from './gcs-session.js'

const nothing: NodeHoldings = { available: {}, total: {}, actors: [], bundles: [], awaited: [] }
const nodeId = 'n1'

const registration: ToGcs = {
  kind: 'registerNode',
  nodeId,
  address: '',
  resources: {},
  labels: {},
  isHead: false,
}
const died = (process: number): ToGcs => ({ kind: 'processDied', process, jobId: 'j' })
const question = (request: number): ToGcs => {
  return { kind: 'query', nodeId, from: 7, request, query: { what: 'nodes' } }
}
const subscription: ToGcs = { kind: 'subscribeActor', nodeId, from: 7, actor: [7, 1] }
const told = (state: 'alive' | 'dead', incarnation = 0): FromGcs => ({
  kind: 'actorChanged',
  to: 7,
  actor: [7, 1],
  state:
    state === 'alive'
      ? { state, worker: 50, address: '', nodeId, incarnation }
      : { state, cause: 'kill', message: '' },
})

function started(...messages: readonly ToGcs[]): GcsSession {
  const session = new GcsSession()
  for (const message of [registration, ...messages]) session.sending(message)
  return session
}

const kinds = (messages: readonly ToGcs[]): string[] => messages.map(({ kind }) => kind)

test('facts are repeated until they are handled, and only then forgotten', () => {
  const session = started(died(1), died(2))
  assert.equal(session.received({ kind: 'gcsHandled', count: 2 }), false)
  const again = session.repeat(nothing)
  assert.deepEqual(kinds(again), ['registerNode', 'processDied', 'nodeHolds'])
  assert.deepEqual(again[1], died(2))
  // Positions are those of the new link now: the registration is the first.
  session.received({ kind: 'gcsHandled', count: 1 })
  assert.equal(session.repeat(nothing).length, 3)
  session.received({ kind: 'gcsHandled', count: 2 })
  assert.equal(session.repeat(nothing).length, 2)
})

test('a question is repeated until it is answered, behind what the node holds', () => {
  const session = started(question(1), died(1), question(2))
  session.received({ kind: 'gcsHandled', count: 4 })
  const answer: FromGcs = { kind: 'answer', to: 7, request: 1 }
  assert.equal(session.received(answer), true)
  assert.deepEqual(kinds(session.repeat(nothing)), ['registerNode', 'nodeHolds', 'query'])
  assert.equal(session.received(answer), false, 'the second answer is dropped')
  assert.equal(session.received({ ...answer, request: 2 }), true)
  assert.deepEqual(kinds(session.repeat(nothing)), ['registerNode', 'nodeHolds'])
})

test('a question and an actor of one process may have the same number', () => {
  const created = { kind: 'createActor', nodeId, from: 7, request: 1 } as unknown as ToGcs
  const session = started(created, question(1))
  assert.ok(kinds(session.repeat(nothing)).includes('createActor'))
  assert.equal(session.received({ kind: 'actorRegistered', to: 7, request: 1 }), true)
  assert.equal(session.received({ kind: 'answer', to: 7, request: 1 }), true)
})

test('a subscription is repeated for as long as its actor lives, and nothing is told twice', () => {
  const session = started(subscription)
  assert.equal(session.received(told('alive')), true)
  assert.ok(kinds(session.repeat(nothing)).includes('subscribeActor'))
  assert.equal(session.received(told('alive')), false, 'that is known')
  session.repeat(nothing)
  assert.equal(session.received(told('alive', 1)), true, 'that is news')
  assert.equal(session.received(told('dead')), true)
  assert.ok(!kinds(session.repeat(nothing)).includes('subscribeActor'))
})

test('what a process wanted goes with it', () => {
  const session = started(subscription, question(1), died(7))
  assert.deepEqual(kinds(session.repeat(nothing)), ['registerNode', 'processDied', 'nodeHolds'])
})

test('a node that the GCS has answered says that it is back', () => {
  const session = started()
  const [first] = session.repeat(nothing)
  assert.equal(first?.kind === 'registerNode' && first.isBack, false)
  session.received({ kind: 'nodeRegistered', nodeNumber: 2, sessionName: '' })
  const [second] = session.repeat(nothing)
  assert.equal(second?.kind === 'registerNode' && second.isBack, true)
})

test('the start of a live process is said again to whoever knows nothing', () => {
  const start: ToGcs = {
    kind: 'processStarted',
    nodeId,
    process: 9,
    pid: 1,
    role: 'worker',
    jobId: 'j',
    namespace: '',
    entrypoint: '',
    atMs: 0,
  }
  const session = started(start)
  session.received({ kind: 'gcsHandled', count: 2 })
  assert.deepEqual(kinds(session.repeat(nothing)), ['registerNode', 'processStarted', 'nodeHolds'])
})
