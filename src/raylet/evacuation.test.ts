import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterNode, ObjectKey } from '../wire/messages/terms.js'
import { Evacuation } from './evacuation.js'
import { ObjectCopies } from './object-copies.js'
import { ObjectEntry } from './object-entry.js'

const node = (nodeNumber: number, more: Partial<ClusterNode> = {}): ClusterNode => ({
  nodeId: `n${nodeNumber}`,
  nodeNumber,
  alive: true,
  address: '',
  total: {},
  available: {},
  labels: {},
  ...more,
})

function stored(sequence: number, on: number): ObjectEntry {
  const entry = new ObjectEntry([1, sequence])
  entry.isStored = true
  entry.copies = new ObjectCopies(on, 10)
  return entry
}

function evacuation(entries: readonly ObjectEntry[], here = 1): [Evacuation, string[]] {
  const said: string[] = []
  const say = (what: string) => (object: ObjectKey, to: number) => {
    said.push(`${what} ${object[1]} ${to}`)
  }
  const ports = { here, entries: () => entries, fetch: say('fetch'), drop: say('drop') }
  return [new Evacuation(ports), said]
}

const cluster = [node(1), node(2, { isDraining: true }), node(3), node(4, { isClient: true })]

test('what only a leaving node has is fetched by the others in turn, once', () => {
  const entries = [stored(1, 2), stored(2, 2), stored(3, 2), stored(4, 3)]
  const [moves, said] = evacuation(entries)
  moves.look(cluster, 0)
  moves.look(cluster, 100)
  assert.deepEqual(said, ['fetch 1 1', 'fetch 2 3', 'fetch 3 1'])
})

test('a copy of a leaving node is dropped when another node has one', () => {
  const entry = stored(1, 2)
  const [moves, said] = evacuation([entry])
  moves.look(cluster, 0)
  entry.copies?.completed(1)
  moves.look(cluster, 100)
  assert.deepEqual(said, ['fetch 1 1', 'drop 1 2'])
})

test('another node is asked when the first has not come in time', () => {
  const [moves, said] = evacuation([stored(1, 2)])
  moves.look(cluster, 0)
  moves.look(cluster, 10_000)
  assert.deepEqual(said, ['fetch 1 1', 'fetch 1 3'])
})

test('a home that leaves itself moves nothing', () => {
  const [moves, said] = evacuation([stored(1, 2)], 2)
  moves.look(cluster, 0)
  assert.deepEqual(said, [])
})
