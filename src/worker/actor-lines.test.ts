import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ToRaylet } from '../wire/messages/raylet.js'
import { ActorLines, type ActorPorts } from './actor-lines.js'

void test('lines of dead actors are forgotten, and made again when somebody asks', () => {
  const sent: ToRaylet[] = []
  const raylet = { send: (message: ToRaylet) => sent.push(message), flush: () => undefined }
  const lines = new ActorLines({ process: 1, token: '', raylet } as unknown as ActorPorts)
  const living = lines.line([1, 1], 'Living')
  const dead = lines.line([1, 2], 'Dead')
  for (let sequence = 2; sequence < 2000; sequence++) {
    lines.line([1, sequence], 'Dead')
    lines.changed([1, sequence], { state: 'dead', cause: 'kill', message: 'It was ended.' })
  }
  assert.equal(lines.line([1, 1], 'Living'), living)
  const before = sent.length
  assert.notEqual(lines.line([1, 2], 'Dead'), dead)
  assert.deepEqual(sent.slice(before), [{ kind: 'subscribeActor', actor: [1, 2] }])
})
