import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PhysicalPlan, plainResources } from '../physical/operators.js'
import { ProgressBars } from './progress-bars.js'

const map = { kind: 'map', transforms: [], resources: plainResources } as const
const source = { ...map, kind: 'source', name: 'range', inputs: [] } as const
const inputs = Array.from({ length: 4 }, () => ({ kind: 'range', start: 0, rows: 5 }) as const)

function drawn(plan: PhysicalPlan, blocks: readonly string[]): string {
  let text = ''
  const bars = new ProgressBars(plan, { columns: 120, write: (more) => (text += more) })
  for (const name of blocks) bars.add(name, { rows: 1000 })
  bars.end()
  return text
}

test('every operator has a line, redrawn in place', () => {
  const plan: PhysicalPlan = {
    source: { ...source, inputs },
    operators: [{ ...map, name: 'map(f)' }],
  }
  const text = drawn(plan, ['range', 'range', 'map(f)'])
  assert.match(text, /range +█{10}░{10} 2\/4 blocks, 2,000 rows/)
  assert.match(text, /map\(f\) +█{5}░{15} 1\/4 blocks, 1,000 rows/)
  assert.ok(text.includes('\u001B[2A'))
})

test('where a limit decides there is no bar, and nothing is drawn of nothing', () => {
  const limit = { kind: 'limit', name: 'limit(5)', rows: 5 } as const
  const plan: PhysicalPlan = { source: { ...source, inputs }, operators: [limit] }
  assert.match(drawn(plan, ['range']), /range +1 blocks, 1,000 rows/)
  assert.equal(drawn(plan, []), '')
})
