import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setupGraceMs } from '../base/limits.js'
import { VirtualClock } from '../testing/virtual-clock.js'
import { SetupWatch } from './setup-watch.js'

const environment = (timeoutMs: number) => ({
  execArgv: [],
  cwd: '/',
  env: { TYPERAY_SETUP: JSON.stringify({ hook: 'h', timeoutMs }) },
})

test('a worker is killed when its hook takes longer than it may, and only then', () => {
  const clock = new VirtualClock()
  const killed: string[] = []
  const watch = new SetupWatch(clock, (start) => killed.push(start))
  for (const start of ['quick', 'slow', 'dead', 'late']) watch.expect(start, environment(1000))
  watch.expect('none', { execArgv: [], cwd: '/', env: {} })
  for (const start of ['quick', 'slow', 'dead', 'none']) watch.begin(start)
  watch.end('quick')
  watch.end('dead')
  clock.advance(999 + setupGraceMs)
  assert.deepEqual(killed, [])
  clock.advance(1)
  assert.deepEqual(killed, ['slow'])
  watch.end('slow')
  watch.begin('late')
  clock.advance(1000 + setupGraceMs)
  assert.deepEqual(killed, ['slow', 'late'])
})
