import assert from 'node:assert/strict'
import test from 'node:test'
import { bundlePolicy } from './bundle-policy.js'
import type { BundleStrategy } from './bundle-policy.js'
import { hybridPolicy } from './hybrid-policy.js'
import { nodeAffinityPolicy } from './node-affinity-policy.js'
import type { NodeView } from './node-view.js'
import type { Amounts } from './resource-amounts.js'
import { spreadPolicy } from './spread-policy.js'

function node(nodeId: string, total: Amounts, available: Amounts = total): NodeView {
  return { nodeId, alive: true, total, available, labels: {} }
}

const one = { CPU: 1 }
const wait = { kind: 'wait' }
const infeasible = { kind: 'infeasible' }
const on = (nodeId: string): unknown => ({ kind: 'node', nodeId })

test('hybrid packs the first node to half, then takes the least used', () => {
  const nodes = [node('a', { CPU: 4 }), node('b', { CPU: 4 })]
  assert.deepEqual(hybridPolicy(nodes, { CPU: 2 }), on('a'))
  const half = [node('a', { CPU: 4 }, { CPU: 2 }), node('b', { CPU: 4 })]
  assert.deepEqual(hybridPolicy(half, one), on('b'))
  const busy = [node('a', { CPU: 4 }, { CPU: 2 }), node('b', { CPU: 4 }, { CPU: 1 })]
  assert.deepEqual(hybridPolicy(busy, one), on('a'))
  assert.deepEqual(hybridPolicy(nodes, one, 'b'), on('b'))
})

test('hybrid packs a node up to half, then spreads evenly over all', () => {
  const available = new Map(['a', 'b', 'c', 'd'].map((id) => [id, 10]))
  const placed: string[] = []
  for (let i = 0; i < 40; i++) {
    const nodes = [...available].map(([id, CPU]) => node(id, { CPU: 10 }, { CPU }))
    const choice = hybridPolicy(nodes, one)
    assert.equal(choice.kind, 'node')
    if (choice.kind !== 'node') return
    placed.push(choice.nodeId)
    available.set(choice.nodeId, (available.get(choice.nodeId) ?? 0) - 1)
  }
  assert.equal(placed.slice(0, 20).join(''), 'aaaaabbbbbcccccddddd')
  for (let i = 20; i < 40; i += 4) {
    assert.deepEqual(placed.slice(i, i + 4).sort(), ['a', 'b', 'c', 'd'])
  }
})

test('hybrid counts the scarcest resource of a node', () => {
  const nodes = [
    node('a', { CPU: 8, GPU: 2 }, { CPU: 7, GPU: 0 }),
    node('b', { CPU: 8, GPU: 2 }, { CPU: 3, GPU: 2 }),
  ]
  assert.deepEqual(hybridPolicy(nodes, one), on('b'))
})

test('hybrid says the difference between full and impossible', () => {
  const nodes = [node('a', { CPU: 2 }, { CPU: 0 })]
  assert.deepEqual(hybridPolicy(nodes, one), wait)
  assert.deepEqual(hybridPolicy(nodes, { CPU: 3 }), infeasible)
  assert.deepEqual(hybridPolicy(nodes, { GPU: 1 }), infeasible)
  assert.deepEqual(hybridPolicy([{ ...node('a', { CPU: 2 }), alive: false }], one), infeasible)
})

test('fractions add up exactly', () => {
  assert.deepEqual(hybridPolicy([node('a', { CPU: 1 }, { CPU: 0.3 })], { CPU: 0.1 + 0.2 }), on('a'))
})

test('spread takes the nodes in turn and passes over full ones', () => {
  const nodes = [node('a', one), node('b', one, {}), node('c', one)]
  assert.deepEqual(spreadPolicy(nodes, one, 0), on('a'))
  assert.deepEqual(spreadPolicy(nodes, one, 1), on('c'))
  assert.deepEqual(spreadPolicy([node('b', one, {})], one, 1), wait)
})

test('affinity is hard unless it is soft, and waits for its node either way', () => {
  const nodes = [node('a', one), node('b', one, {})]
  assert.deepEqual(nodeAffinityPolicy(nodes, one, { nodeId: 'b', soft: true }), wait)
  assert.deepEqual(nodeAffinityPolicy(nodes, one, { nodeId: 'x', soft: false }), infeasible)
  assert.deepEqual(nodeAffinityPolicy(nodes, one, { nodeId: 'x', soft: true }), on('a'))
})

function bundles(
  nodes: readonly NodeView[],
  strategy: BundleStrategy,
  ...sizes: readonly number[]
): unknown {
  const demands = sizes.map((size, index) => ({ index, resources: { CPU: size } }))
  const choice = bundlePolicy(nodes, { strategy, bundles: demands, heldBy: [] })
  if (choice.kind !== 'nodes') return choice.kind
  return sizes.map((_, index) => choice.nodeIds.get(index)).join(' ')
}

test('bundles are packed on one node if any, and spread over as many as there are', () => {
  const nodes = [node('a', { CPU: 2 }), node('b', { CPU: 4 })]
  assert.equal(bundles(nodes, 'PACK', 1, 1), 'a a')
  assert.equal(bundles(nodes, 'PACK', 2, 2), 'b b')
  assert.equal(bundles(nodes, 'PACK', 2, 4), 'a b')
  assert.equal(bundles(nodes, 'STRICT_PACK', 2, 4), 'infeasible')
  assert.equal(bundles(nodes, 'SPREAD', 1, 1), 'b a')
  assert.equal(bundles(nodes, 'SPREAD', 1, 1, 1), 'b a b')
  assert.equal(bundles(nodes, 'STRICT_SPREAD', 1, 1, 1), 'infeasible')
})

test('bundles wait for a cluster that is only full', () => {
  const nodes = [node('a', { CPU: 2 }, { CPU: 1 }), node('b', { CPU: 2 })]
  assert.equal(bundles(nodes, 'PACK', 2, 2), 'wait')
  assert.equal(bundles(nodes, 'STRICT_PACK', 2, 1), 'infeasible')
  assert.equal(bundles(nodes, 'STRICT_SPREAD', 2, 2), 'wait')
})

test('bundles that lost their node respect those that did not', () => {
  const nodes = [node('a', { CPU: 8 }), node('b', { CPU: 1 })]
  const bundle = [{ index: 1, resources: one }]
  const choose = (strategy: BundleStrategy): unknown => {
    const choice = bundlePolicy(nodes, { strategy, bundles: bundle, heldBy: ['a'] })
    return choice.kind === 'nodes' ? choice.nodeIds.get(1) : choice.kind
  }
  assert.equal(choose('STRICT_SPREAD'), 'b')
  assert.equal(choose('STRICT_PACK'), 'a')
})
