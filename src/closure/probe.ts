// Do several functions share one variable, or does each have its own of the same name and value?
//
// It matters when one of them assigns it: `inc` and `get` of one counter must go on sharing on the
// other side, and those of two counters must not. V8 hands out copies of scopes, so neither
// identity nor a write to the copy tells. Comparing values proves a difference, never a sameness.
//
// So the variable itself is marked, from inside. A breakpoint stops each function at its very
// entry; there the variable is given a token, and execution is terminated before the function's
// first statement runs. Then each function is entered once more to read which token it sees: those
// that see the same one share. At the end the values are put back. One entry costs about 0.5 ms,
// and nothing but ambiguous cases comes here.
//
// Functions that cannot be stopped at entry (classes, parameters with computed defaults) are
// reported as unknown. So is everything while a debugger may be attached, because it would see the
// stops; the caller then refuses.

import { sharedVariableProbesMax } from '../base/limits.js'
import {
  ask,
  exchange,
  releaseRemote,
  remoteId,
  session,
  subjectCode,
  withDebugger,
} from './inspector.js'
import { isFunction, type AnyNode } from './syntax.js'

export interface ProbeSubject {
  readonly fn: Function
  readonly node: AnyNode
}

const simple = new Set(['Identifier', 'RestElement', 'ArrayPattern', 'ObjectPattern'])

/**
 * True when calling the function without arguments runs nothing before its first breakable
 * position.
 */
function stopsAtEntry({ node }: ProbeSubject): boolean {
  if (!isFunction(node)) return false
  return node.params.every(
    (p) =>
      simple.has(p.type) ||
      (p.type === 'AssignmentPattern' &&
        (p.right.type === 'Literal' || p.right.type === 'Identifier')),
  )
}

const missed = Symbol('the function could not be stopped')

/**
 * Evaluates an expression in the scope of a function that is stopped at its entry, and abandons the
 * call.
 */
function atEntry({ fn, node }: ProbeSubject, expression: string, value?: unknown): unknown {
  let result: unknown = missed
  const paused = ({ params }: { params: { callFrames: { callFrameId: string }[] } }): void => {
    const callFrameId = params.callFrames[0]?.callFrameId
    try {
      exchange.subject = value
      const answer = ask('Debugger.evaluateOnCallFrame', {
        callFrameId,
        expression: `${subjectCode.replace('subject', 'answer')} = (${expression})`,
        silent: true,
      })
      if (!('exceptionDetails' in answer)) result = exchange.answer
    } finally {
      ask('Debugger.resume', { terminateOnResume: true })
    }
  }
  const objectId = remoteId(fn)
  const { breakpointId } = ask('Debugger.setBreakpointOnFunctionCall', { objectId })
  session().on('Debugger.paused', paused)
  // The body of a generator is entered by the first `next`.
  const enter =
    isFunction(node) && node.generator === true ? `${subjectCode}().next()` : `${subjectCode}()`
  try {
    // The answer is always "Execution was terminated", which `ask` would turn into an error.
    session().post('Runtime.evaluate', { expression: enter, silent: true }, () => {})
  } finally {
    session().off('Debugger.paused', paused)
    ask('Debugger.removeBreakpoint', { breakpointId })
    releaseRemote()
  }
  return result
}

/**
 * For each function the number of the variable it sees under `name`: equal numbers, same variable.
 * Undefined if that cannot be found out.
 */
export function variableGroups(
  subjects: readonly ProbeSubject[],
  name: string,
): number[] | undefined {
  const { url: inspectorUrl } = process.getBuiltinModule('node:inspector')
  if (inspectorUrl() !== undefined || subjects.length > sharedVariableProbesMax) return undefined
  if (!subjects.every(stopsAtEntry)) return undefined
  return withDebugger(() => {
    const original: unknown[] = []
    for (const subject of subjects) {
      const value = atEntry(subject, name)
      if (value === missed) return undefined
      original.push(value)
    }
    const tokens = subjects.map((_, i) => ({ i }))
    let sound = true
    const seen: number[] = []
    try {
      for (const [i, subject] of subjects.entries()) {
        if (atEntry(subject, `${name} = ${subjectCode}`, tokens[i]) !== tokens[i]) sound = false
      }
      for (const subject of subjects) {
        const value = atEntry(subject, name)
        const token = tokens.findIndex((t) => t === value)
        if (token < 0) sound = false
        seen.push(token)
      }
    } finally {
      for (const [i, subject] of subjects.entries())
        atEntry(subject, `${name} = ${subjectCode}`, original[i])
    }
    return sound ? seen : undefined
  })
}
