// What refs wait for, in words: for a get that timed out.
//
// An owner knows where its task is, and the raylet what holds it up there. So the raylet is asked,
// only now and only for a moment, because a timeout must stay a timeout.

import { pendingReasonsMax, pendingReasonsMs } from '../base/limits.js'
import type { ProcessId } from '../base/ids.js'
import type { PendingQuery, PendingQuestion } from '../wire/messages/pending.js'
import type { ActorLine } from './actor-line.js'
import { ObjectRef, refState } from './object-ref.js'
import { type Task, taskStatus } from './task.js'

export interface PendingReasonsPorts {
  readonly process: ProcessId
  readonly now: () => number
  readonly later: (ms: number, run: () => void) => void
  readonly ask: (query: PendingQuery) => Promise<unknown>
  readonly lineOf: (task: Task) => ActorLine | undefined
}

interface Reason {
  /** Asked of the raylet. */
  readonly question?: PendingQuestion
  readonly say: (answer: string) => string
}

/** A ref whose argument waits for another and so on is followed so far. */
const chainMax = 3

export class PendingReasons {
  readonly #ports: PendingReasonsPorts

  constructor(ports: PendingReasonsPorts) {
    this.#ports = ports
  }

  /** A line for each of the first refs, after `withinMs` at the latest. */
  async explain(pending: readonly ObjectRef[], withinMs: number): Promise<string[]> {
    const refs = pending.slice(0, pendingReasonsMax)
    const reasons = refs.map((ref) => this.#of(ref, 1))
    const questions = reasons.flatMap(({ question }) => (question === undefined ? [] : [question]))
    const answers = questions.length === 0 ? [] : await this.#ask(questions, withinMs)
    return refs.flatMap((ref, i) => {
      const { question, say } = reasons[i]!
      const answer =
        question === undefined ? '' : String(answers[questions.indexOf(question)] ?? '')
      const text = say(answer)
      return text === '' ? [] : [`${ref.id}${nameOf(ref)} ${text}`]
    })
  }

  #ask(questions: readonly PendingQuestion[], withinMs: number): Promise<unknown[]> {
    const late = new Promise<unknown[]>((resolve) =>
      this.#ports.later(Math.min(withinMs, pendingReasonsMs), () => resolve([])),
    )
    const asked = this.#ports.ask({ what: 'pending', questions }).then(
      (value) => (Array.isArray(value) ? (value as unknown[]) : []),
      () => [],
    )
    return Promise.race([asked, late])
  }

  #of(ref: ObjectRef, depth: number): Reason {
    const { task } = ref
    if (task === null) {
      if (ref.owner === this.#ports.process) return { say: () => '' }
      const object = [ref.owner, ref.sequence] as const
      return {
        question: { on: 'object', object },
        say: (answer) => answer || 'is not made yet, says the raylet of this node',
      }
    }
    const missing = task.slab === null ? missingArgument(task) : undefined
    if (missing !== undefined) return this.#ofArgument(missing, depth)
    const line = this.#ports.lineOf(task)
    if (line !== undefined) return ofCall(task, line)
    if (task.status === taskStatus.inFlight) return this.#ofSent(task)
    return ofQueued(task)
  }

  #ofArgument(ref: ObjectRef, depth: number): Reason {
    const text = `waits for its argument ${ref.id}${nameOf(ref)}`
    if (depth >= chainMax) return { say: () => text }
    const { question, say } = this.#of(ref, depth + 1)
    return {
      ...(question !== undefined && { question }),
      say: (answer) => {
        const more = say(answer)
        return more === '' ? text : `${text}, which ${more}`
      },
    }
  }

  #ofSent(task: Task): Reason {
    const { line } = task
    if (line === null) return ofQueued(task)
    const running = line.carried ?? line.head
    const { headSince } = line
    const since = headSince === 0 ? '' : ` for ${secondsOf(this.#ports.now() - headSince)}`
    return {
      question: { on: 'worker', worker: line.worker },
      say: (answer) => {
        const where = answer || `worker pid ${line.pid}`
        return running === task || running === null
          ? `runs${since} on ${where}`
          : `is next behind task ${running.fn.name}, which runs${since} on ${where}`
      },
    }
  }
}

function ofQueued({ key, status, request }: Task): Reason {
  const asked = status === taskStatus.carried ? request : key?.requests.keys().next().value
  const running = key?.lines[0]
  const more = key === null || key.length < 2 ? '' : ` (${key.length} such tasks are queued)`
  if (asked !== undefined) {
    const question = { on: 'lease', request: asked } as const
    return { question, say: (answer) => `${answer || 'is queued for a worker'}${more}` }
  }
  if (key === null || running === undefined) return { say: () => 'is queued for a worker' }
  const { length } = key.lines
  return {
    question: { on: 'worker', worker: running.worker },
    say: (answer) => {
      const where = answer || `worker pid ${running.pid}`
      const all = length === 1 ? where : `${length} workers, such as ${where}`
      return `is queued for what runs tasks like it: ${all}${more}`
    },
  }
}

function ofCall(task: Task, line: ActorLine): Reason {
  const { worker, state, ahead } = line.progressOf(task)
  const actor = `actor ${line.className} (${line.id})`
  const behind =
    ahead === 0 ? '' : `, behind ${ahead} call${ahead === 1 ? '' : 's'} of this process`
  if (state === 'alive') {
    const verb = task.status === taskStatus.inFlight ? 'was sent to' : 'waits to be sent to'
    return {
      question: { on: 'worker', worker },
      say: (answer) => `${verb} ${actor}${answer === '' ? '' : ` on ${answer}`}${behind}`,
    }
  }
  const doing = state === 'restarting' ? 'is restarting' : 'has not started'
  return {
    question: { on: 'actor', actor: line.key },
    say: (answer) =>
      `waits for ${actor}, which ${doing}${answer === '' ? '' : `: ${answer}`}${behind}`,
  }
}

function missingArgument({ pins }: Task): ObjectRef | undefined {
  const isMissing = (pin: unknown): boolean =>
    pin instanceof ObjectRef && pin.state === refState.pending
  return pins?.find(isMissing) as ObjectRef | undefined
}

export function nameOf(ref: ObjectRef): string {
  const { task } = ref
  return task === null ? '' : ` (task ${task.fn.name})`
}

function secondsOf(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
