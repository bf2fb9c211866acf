// Node 1 is the home of an object, node 2 lends and dies, and node 3 receives.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rayletProcess, workerProcess } from '../base/ids.js'
import type { LendMessage, ObjectMessage } from '../wire/messages/peer.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { LendsUnderWay } from './lends-under-way.js'
import type { ObjectEvent } from './object-events.js'
import { ObjectTable } from './object-table.js'

const [home, lender, receiver] = [1, 2, 3]
const owner = workerProcess(home, 0)
const object: ObjectKey = [owner, 7]
const lend: ObjectMessage = { kind: 'lend', to: rayletProcess(receiver), objects: [object] }

class Nodes {
  readonly table = new ObjectTable(home)
  /** What is on its way, in one line for each pair of nodes. */
  readonly onTheWay: { from: number; to: number; message: LendMessage }[] = []
  readonly #dead = new Map<number, Set<number>>()
  readonly #lends = new Map<number, LendsUnderWay>()

  constructor() {
    for (const here of [home, receiver]) {
      this.#dead.set(here, new Set())
      const ports = {
        here,
        send: (to: number, message: LendMessage) => {
          this.onTheWay.push({ from: here, to, message })
        },
        isDead: (node: number) => this.#dead.get(here)?.has(node) === true,
        count: (event: ObjectEvent) => void this.table.handle(event, 0),
      }
      this.#lends.set(here, new LendsUnderWay(ports))
    }
    this.table.handle({ kind: 'escape', from: owner, objects: [{ sequence: 7 }] }, 0)
  }

  at(node: number): LendsUnderWay {
    const lends = this.#lends.get(node)
    assert.ok(lends)
    return lends
  }

  lend(): void {
    this.at(home).heard(lender, lend)
    this.table.handle(lend, 0)
  }

  /** The node hears that the lender is dead. */
  mourn(node: number): void {
    this.#dead.get(node)?.add(lender)
    if (node === home) this.table.handle({ kind: 'nodeDied', node: lender }, 0)
    this.at(node).nodeDied(lender)
  }

  carry(): void {
    for (let next = this.onTheWay.shift(); next !== undefined; next = this.onTheWay.shift()) {
      this.at(next.to).fromPeer(next.from, next.message)
    }
  }

  giveBack(): void {
    this.table.handle({ kind: 'release', from: rayletProcess(receiver), objects: object }, 0)
  }

  counts(): number {
    const entry = this.table.entries().find(({ key }) => key[1] === 7)
    return entry?.countOf(rayletProcess(receiver)) ?? 0
  }
}

test('a count whose refs never come is taken back when nothing can come any more', () => {
  const nodes = new Nodes()
  nodes.lend()
  nodes.mourn(home)
  nodes.carry()
  assert.equal(nodes.counts(), 1, 'the receiver may still hear of it')
  nodes.mourn(receiver)
  nodes.carry()
  assert.equal(nodes.counts(), 0)
  assert.equal(nodes.at(home).size, 0)
})

test('a count whose refs came in the last moment is kept', () => {
  const nodes = new Nodes()
  nodes.lend()
  nodes.mourn(home)
  nodes.at(receiver).received(lender, [object])
  nodes.mourn(receiver)
  nodes.carry()
  assert.equal(nodes.counts(), 1)
  nodes.giveBack()
  assert.equal(nodes.counts(), 0)
  assert.equal(nodes.at(home).size, 0)
})

test('refs whose count is lost are counted, whether they were given back by then or not', () => {
  for (const isEarly of [true, false]) {
    const nodes = new Nodes()
    nodes.at(receiver).received(lender, [object])
    if (isEarly) nodes.giveBack()
    nodes.mourn(home)
    nodes.carry()
    assert.equal(nodes.counts(), isEarly ? 0 : 1)
    nodes.mourn(receiver)
    nodes.carry()
    assert.equal(nodes.at(home).size, 0)
  }
})

test('a claim may overtake the lend, and then nothing is under way', () => {
  const nodes = new Nodes()
  nodes.at(receiver).received(lender, [object, object])
  nodes.carry()
  assert.equal(nodes.at(home).size, 1)
  nodes.lend()
  nodes.lend()
  assert.equal(nodes.at(home).size, 0)
  nodes.mourn(home)
  assert.deepEqual(nodes.onTheWay, [], 'nobody has to be asked')
  assert.equal(nodes.counts(), 2)
})

test('what was lent to the raylet of the home itself is taken back at once', () => {
  const nodes = new Nodes()
  const toHome: ObjectMessage = { kind: 'lend', to: rayletProcess(home), objects: [object] }
  nodes.at(home).heard(lender, toHome)
  nodes.table.handle(toHome, 0)
  nodes.mourn(home)
  const entry = nodes.table.entries()[0]
  assert.equal(entry?.countOf(rayletProcess(home)), 0)
})

test('values that another node settles or seals claim what they contain', () => {
  const nodes = new Nodes()
  const result: ObjectKey = [workerProcess(receiver, 0), 1]
  const body = new Uint8Array(1)
  const from = workerProcess(lender, 0)
  const contains = [object, result]
  nodes.at(receiver).heard(lender, { kind: 'settle', from, object: result, body, contains })
  nodes.at(receiver).heard(lender, { kind: 'seal', object: result, contains: [object] })
  const claim = { kind: 'claimLent', by: lender, objects: [object] }
  const sent = { from: receiver, to: home, message: claim }
  assert.deepEqual(nodes.onTheWay, [sent, sent])
})

test('lends to processes, and between processes and their own raylet, are not followed', () => {
  const nodes = new Nodes()
  const lends = nodes.at(home)
  lends.heard(lender, { kind: 'lend', to: workerProcess(receiver, 0), objects: [object] })
  lends.heard(lender, { kind: 'lend', to: rayletProcess(lender), objects: [object] })
  lends.received(home, [object])
  assert.equal(lends.size, 0)
  assert.deepEqual(nodes.onTheWay, [])
})

test('what is lent to a dead node is not under way', () => {
  const nodes = new Nodes()
  nodes.at(home).heard(4, { kind: 'lend', to: rayletProcess(lender), objects: [object] })
  assert.equal(nodes.at(home).size, 1)
  nodes.mourn(home)
  nodes.at(home).heard(4, { kind: 'lend', to: rayletProcess(lender), objects: [object] })
  assert.equal(nodes.at(home).size, 0)
})

test('the death of the receiver, or of a home that asks, ends the matter', () => {
  const nodes = new Nodes()
  nodes.lend()
  nodes.at(home).nodeDied(receiver)
  assert.equal(nodes.at(home).size, 0)
  nodes.at(receiver).fromPeer(home, { kind: 'askClaims', of: lender })
  nodes.at(receiver).nodeDied(home)
  nodes.mourn(receiver)
  assert.deepEqual(nodes.onTheWay, [])
})
