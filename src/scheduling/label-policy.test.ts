import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  labelPolicy,
  labelProblem,
  matchesLabels,
  selectorProblem,
  whyNoLabels,
} from './label-policy.js'
import type { NodeView } from './node-view.js'

const node = (nodeId: string, labels: Record<string, string>, cpus = 1): NodeView => ({
  nodeId,
  alive: true,
  total: { CPU: cpus },
  available: { CPU: cpus },
  labels,
})

test('a selector says what the value of each label must be', () => {
  const labels = { region: 'eu', zone: 'a' }
  for (const [selector, expected] of [
    [{}, true],
    [{ region: 'eu' }, true],
    [{ region: 'us' }, false],
    [{ region: '!us' }, true],
    [{ region: '!eu' }, false],
    [{ zone: 'in(a, b)' }, true],
    [{ zone: 'in(b,c)' }, false],
    [{ zone: '!in(b,c)' }, true],
    [{ zone: '!in(a,c)' }, false],
    [{ zone: 'exists' }, true],
    [{ zone: 'exists()' }, true],
    [{ zone: '!exists' }, false],
    [{ rack: '!exists' }, true],
    [{ rack: 'exists' }, false],
    [{ rack: 'x' }, false],
    [{ rack: '!x' }, true],
    [{ rack: '!in(x)' }, true],
    [{ region: 'eu', zone: 'b' }, false],
    [{ toString: 'exists' }, false],
  ] as const) {
    assert.equal(matchesLabels(selector, labels), expected, JSON.stringify(selector))
  }
})

test('what is no selector is refused with the forms that there are', () => {
  assert.match(selectorProblem(['x']) ?? '', /must be an object/)
  assert.match(selectorProblem({ 'a b': 'x' }) ?? '', /'a b' cannot be the key/)
  for (const bad of ['in(a', 'not(a)', '!!a', 'a b', 1, null]) {
    assert.match(selectorProblem({ zone: bad }) ?? '', /of 'zone' must be 'value', '!value'/)
  }
  assert.equal(selectorProblem({ 'example.org/zone': 'in(a,b)', x: '' }), undefined)
  assert.match(labelProblem('zone', 1) ?? '', /'zone'/)
  assert.match(labelProblem('zo ne', 'a') ?? '', /'zo ne'/)
  assert.equal(labelProblem('zone', 'a'), undefined)
})

test('the first selector that any node could ever serve is the one that counts', () => {
  const nodes = [node('a', { zone: 'a' }), node('b', { zone: 'b' }, 4)]
  const ids = (...zones: readonly string[]): string[] =>
    labelPolicy(
      nodes,
      { CPU: 2 },
      zones.map((zone) => ({ zone })),
    ).map((each) => each.nodeId)
  assert.deepEqual(ids(), ['a', 'b'])
  assert.deepEqual(ids('b'), ['b'])
  assert.deepEqual(ids('a'), [], 'the node of that label is too small')
  assert.deepEqual(ids('a', 'c', 'b'), ['b'])
})

test('when no node has the labels, the message says which there are', () => {
  const nodes = [node('a', { zone: 'a' }), node('b', {})]
  assert.equal(
    whyNoLabels(nodes, [{ zone: 'c' }, { rack: 'exists' }]),
    'it needs a node with labels { zone: c } or { rack: exists }, and there are { zone: a } {}',
  )
  assert.equal(whyNoLabels(nodes, [{ zone: 'a' }]), undefined)
})
