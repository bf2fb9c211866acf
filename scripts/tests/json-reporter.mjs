// Reporter for node:test that writes one JSON line per finished test, for run-tests.mjs to read.
// The last line says that the stream ended: without it the process died before its tests did.
import { inspect } from 'node:util'

function describeError(error) {
  if (error === undefined) return 'failed without an error'
  const cause = error.cause ?? error
  if (error.failureType === 'subtestsFailed') return ''
  return typeof cause === 'string' ? cause : inspect(cause, { depth: 6 })
}

export default async function* jsonReporter(source) {
  const path = []
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      path.length = data.nesting
      path[data.nesting] = data.name
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const line = {
      name: [...path.slice(0, data.nesting), data.name].join(' > '),
      isSuite: data.details.type === 'suite',
      passed: type === 'test:pass',
      skipped: data.skip ?? data.todo,
      durationMs: data.details.duration_ms,
      error: type === 'test:fail' ? describeError(data.details.error) : undefined,
    }
    yield `${JSON.stringify(line)}\n`
  }
  yield `${JSON.stringify({ ended: true })}\n`
}
