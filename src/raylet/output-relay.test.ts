import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outputBytesMax } from '../base/limits.js'
import { type JobLogging, usualLogging } from '../wire/logging.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import { OutputRelay } from './output-relay.js'
import { SessionLogs } from './session-logs.js'

const label = { taskId: '', name: 'f', actorId: '', level: 'INFO' } as const
const output = { start: '1', pid: 7, stream: 'stdout', lines: ['hello'], label } as const

interface Heard {
  readonly sent: FromRaylet[]
  readonly paused: string[]
  readonly relay: OutputRelay
}

function relayWith(logging: Partial<JobLogging>, bufferedBytes = 0): Heard {
  const sent: FromRaylet[] = []
  const paused: string[] = []
  const relay = new OutputRelay({
    logs: new SessionLogs({
      nodeId: 'n', sessionName: 's', sessionDir: '', rotateBytes: 0, backups: 0,
    }), // prettier-ignore
    loggingOf: () => ({ ...usualLogging, ...logging }),
    driverOf: () => ({ bufferedBytes, send: (message) => void sent.push(message) }),
    pause: (jobId) => void paused.push(jobId),
  })
  return { sent, paused, relay }
}

test('pauses the workers of the job whose driver does not read, and of no other', () => {
  const slow = relayWith({}, outputBytesMax + 1)
  slow.relay.lines(output, { jobId: 'slow', name: 'f', process: undefined })
  assert.deepEqual(slow.paused, ['slow'])
  const quick = relayWith({})
  quick.relay.lines(output, { jobId: 'quick', name: 'f', process: undefined })
  assert.deepEqual(quick.paused, [])
})

test('a warning of the raylet is on stderr under its name', () => {
  const { relay, sent } = relayWith({})
  relay.warn('j', 'beware')
  const { kind, stream, name, lines } = sent[0] as Extract<FromRaylet, { kind: 'output' }>
  assert.deepEqual({ kind, stream, name, lines }, {
    kind: 'output', stream: 'stderr', name: 'raylet', lines: ['beware'],
  }) // prettier-ignore
})

test('a warning is JSON where lines are, and not sent where output is not', () => {
  const json = relayWith({ encoding: 'JSON' })
  json.relay.warn('j', 'beware')
  const [message] = json.sent
  assert.ok(message?.kind === 'output')
  assert.equal(message.json?.level, 'WARNING')
  const silent = relayWith({ toDriver: false })
  silent.relay.warn('j', 'beware')
  assert.deepEqual(silent.sent, [])
})
