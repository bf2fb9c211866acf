// Handles of actors: `c.inc.remote()`.
//
// A handle answers for the methods of its class and nothing else, so that a method may have any
// name. What the runtime needs of it hangs on a symbol. It is counted like a ref: when no handle is
// left anywhere the actor ends.

import { closestName } from '../base/closest-name.js'
import { PendingCallsLimitExceededError, SessionError } from '../base/errors.js'
import { frameType, returnsInByteMax, returnsStreaming } from '../wire/frame.js'
import type { MethodSpec } from '../wire/messages/raylet.js'
import type { PushExtension } from '../wire/messages/task.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ActorLine } from './actor-line.js'
import { attachmentBrand, registerAttachment } from './attachment.js'
import { CallRefusal } from './call-refusal.js'
import { noGroups } from './concurrency-groups.js'
import type { CoreWorker } from './core-worker.js'
import { requireCore } from './current-core.js'
import {
  compileMethodOptions,
  type MethodConfig,
  type MethodOptions,
  publicMethods,
} from './method-options.js'
import { ObjectRef, refState } from './object-ref.js'
import { extensionBytes } from './push-extension.js'
import { shapeReturns, streamHead, type Submitted } from './remote-function.js'
import { type FunctionEntry, Task } from './task.js'
import { currentTask } from './task-context.js'
import type { CallHead } from './argument-encoder.js'

/** What is the same for every handle of an actor, in every process. */
export interface ActorBinding {
  readonly className: string
  readonly methods: readonly string[]
  readonly maxTaskRetries: number
  readonly maxPendingCalls: number
  readonly methodSpecs?: Readonly<Record<string, MethodSpec>>
  readonly concurrencyGroups?: Readonly<Record<string, number>>
  readonly isUnordered?: boolean
  /** It came from the actor's name, or from itself: the actor may end while it is held. */
  readonly isWeak?: boolean
}

export function bindingOf(spec: ActorBinding): ActorBinding {
  const { className, methods, maxTaskRetries, maxPendingCalls } = spec
  const { methodSpecs, concurrencyGroups, isUnordered } = spec
  return {
    className,
    methods,
    maxTaskRetries,
    maxPendingCalls,
    ...(methodSpecs !== undefined && { methodSpecs }),
    ...(concurrencyGroups !== undefined && { concurrencyGroups }),
    ...(isUnordered !== undefined && { isUnordered }),
  }
}

export const actorBinding = Symbol.for('typeray.actor')

export class ActorCore {
  readonly binding: ActorBinding
  /** Counted at the raylet while this handle lives. */
  readonly ref: ObjectRef
  /** A handle is of its session; another one knows no actor of that key. */
  readonly #core: CoreWorker
  #line: ActorLine | null = null

  constructor(core: CoreWorker, ref: ObjectRef, binding: ActorBinding) {
    this.#core = core
    this.ref = ref
    this.binding = binding
  }

  get key(): ObjectKey {
    return [this.ref.owner, this.ref.sequence]
  }

  get id(): string {
    return this.ref.id
  }

  /** @throws SessionError when the session of the handle is over. */
  refuseEnded(core: CoreWorker): void {
    if (this.#core !== core) throw endedHandle(this)
  }

  line(core: CoreWorker): ActorLine {
    if (this.#line === null || this.#core !== core) {
      this.refuseEnded(core)
      this.#line = core.actors.line(this.key, this.binding.className)
      this.#line.isUnordered = this.binding.isUnordered === true
    }
    return this.#line
  }

  /**
   * getIfExists found another actor of that name: this handle is one of its handles from now on.
   */
  become(core: CoreWorker, key: ObjectKey): void {
    const before = this.line(core)
    // The raylet drops the key that we made up, and counts one for us on the actor that has the
    // name.
    core.references.forget(this.ref)
    this.ref.owner = key[0]
    this.ref.sequence = key[1]
    core.references.hold(this.ref)
    this.#line = core.actors.line(key, this.binding.className)
    this.#line.isUnordered = this.binding.isUnordered === true
    before.forwardTo(this.#line)
  }
}

function endedHandle(actor: ActorCore): SessionError {
  return new SessionError(
    `The actor ${actor.binding.className} (${actor.id}) belongs to a session that was shut down. ` +
      'Start another actor in this session.',
  )
}

const noSpec: MethodSpec = {}

export class ActorMethod extends CallRefusal {
  readonly #actor: ActorCore
  readonly #entry: FunctionEntry
  readonly #options: MethodOptions
  readonly #config: MethodConfig
  readonly #retries: number
  readonly #head: CallHead

  constructor(actor: ActorCore, number: number, options: MethodOptions = {}) {
    const { className, methods, methodSpecs, concurrencyGroups } = actor.binding
    const method = methods[number]!
    super(() => {
      throw new TypeError(
        `Methods of actors cannot be called directly: instead of handle.${method}(...) write ` +
          `handle.${method}.remote(...), which runs it in the actor ${className} and returns an ` +
          `ObjectRef.`,
      )
    })
    const config = compileMethodOptions(options, {
      name: `${className}.${method}`,
      spec: methodSpecs?.[method] ?? noSpec,
      groups: concurrencyGroups ?? noGroups,
    })
    this.#actor = actor
    this.#options = options
    this.#config = config
    this.#retries = config.maxTaskRetries ?? actor.binding.maxTaskRetries
    const name = config.name ?? `${className}.${method}`
    this.#entry = { number, name, hash: '', define: null, averageUs: 0, measured: 0 }
    this.#head = methodHead(number, name, config)
  }

  /**
   * Calls the method; returns at once. Calls of one caller run in the order in which they were
   * made.
   */
  remote(...args: unknown[]): Submitted {
    const core = requireCore(`${this.#entry.name}.remote()`)
    const actor = this.#actor
    const config = this.#config
    const line = actor.line(core)
    const { maxPendingCalls } = actor.binding
    if (maxPendingCalls > 0 && line.pendingCalls >= maxPendingCalls) throw this.#tooMany(line)
    const { returns } = config
    const count = returns > 1 && returns !== returnsStreaming ? returns : 1
    const ref = new ObjectRef(core.process, core.nextSequence(count))
    const task = new Task(ref, this.#entry)
    ref.task = task
    task.retriesLeft = this.#retries
    task.retryExceptions = config.retryExceptions
    const result = returns === 1 ? ref : shapeReturns(core, task, returns, config.backpressure)
    if (config.signal !== undefined) core.cancelOn(task, config.signal)
    const parent = currentTask()
    if (parent !== null) core.adopt(parent, task)
    // The handle lives until the call has finished, so that dropping it at once does not end the
    // actor.
    task.actor = actor
    const head = task.stream === null ? this.#head : streamHead(this.#head, task.stream.number)
    if (!core.encoder.encodeSmall(task, head, args, line.frames)) {
      this.#encodeFull(core, task, { head, args, line })
    }
    core.actors.submit(task, line)
    return result
  }

  #encodeFull(
    core: CoreWorker,
    task: Task,
    call: { head: CallHead; args: readonly unknown[]; line: ActorLine },
  ): void {
    const { head, args, line } = call
    const encoded = core.encoder.encodeFull(task, head, {
      args,
      frames: line.frames,
      whenReady: (failed) => {
        if (failed !== null && !task.isCancelled) core.settler.failLike(task, failed)
        line.ready(task)
      },
    })
    if (encoded !== 'ready' && encoded !== 'waiting') core.settler.failLike(task, encoded)
  }

  #tooMany(line: ActorLine): PendingCallsLimitExceededError {
    const { className, maxPendingCalls } = this.#actor.binding
    return new PendingCallsLimitExceededError(
      `Actor ${className} (${line.id}) has ${line.pendingCalls} calls of this process ` +
        `waiting, and maxPendingCalls is ` +
        `${maxPendingCalls}. Get some results first.`,
      { fields: { actorId: line.id, maxPendingCalls } },
    )
  }

  /** The same method with other options; those not named stay as they are. */
  options(options: MethodOptions): ActorMethod {
    return new ActorMethod(this.#actor, this.#entry.number, { ...this.#options, ...options })
  }
}

function methodHead(number: number, name: string, config: MethodConfig): CallHead {
  const isMany = config.returns > returnsInByteMax && config.returns !== returnsStreaming
  const extension: PushExtension = {
    ...(isMany && { returns: config.returns }),
    ...(config.name !== undefined && { name: config.name }),
    ...(config.backpressure !== undefined && { backpressure: config.backpressure }),
    ...(config.concurrencyGroup !== undefined && { group: config.concurrencyGroup }),
    ...(!config.isListed && { events: false }),
  }
  const isPlain = Object.keys(extension).length === 0
  return {
    type: frameType.call,
    returns: isMany ? 0 : config.returns,
    fn: number,
    extension: isPlain ? null : extensionBytes(extension),
    name,
  }
}

export type AnyActorHandle = Record<string, ActorMethod> & { readonly [actorBinding]: ActorCore }

const inspect = Symbol.for('nodejs.util.inspect.custom')
/** Asked of every object by promises, JSON and consoles: a handle is none of these things. */
const neverMethods = new Set([
  'then',
  'toJSON',
  'constructor',
  'prototype',
  '$$typeof',
  'asymmetricMatch',
  'nodeType',
])

/** How `await using handle` ends an actor; set by the public API, which knows how to kill. */
let dispose: (handle: ActorCore) => Promise<void> = () => Promise.resolve()

export function installActorDispose(how: (handle: ActorCore) => Promise<void>): void {
  dispose = how
}

export function makeHandle(actor: ActorCore): AnyActorHandle {
  const { binding } = actor
  const methods = new Map<string, ActorMethod>()
  const text = (): string => `ActorHandle(${binding.className}, ${actor.id})`
  const asyncDispose = Symbol.asyncDispose as symbol | undefined
  const find = (name: string): ActorMethod | undefined => {
    let method = methods.get(name)
    if (method !== undefined) return method
    const number = binding.methods.indexOf(name)
    if (number < 0) {
      if (neverMethods.has(name)) return undefined
      if (name === 'toString') return text as unknown as ActorMethod
      throw noMethod(binding, name)
    }
    method = new ActorMethod(actor, number)
    methods.set(name, method)
    return method
  }
  const target: Record<PropertyKey, unknown> = Object.create(null) as Record<PropertyKey, unknown>
  // Consoles look behind the proxy.
  target[inspect] = text
  return new Proxy(target, {
    get(_, key) {
      if (typeof key === 'string') return find(key)
      if (key === actorBinding) return actor
      if (key === attachmentBrand) return 'actor'
      if (key === inspect || key === Symbol.toPrimitive) return text
      if (key === asyncDispose && asyncDispose !== undefined) return () => dispose(actor)
      return undefined
    },
    has: (_, key) =>
      key === actorBinding ||
      key === attachmentBrand ||
      (typeof key === 'string' && binding.methods.includes(key)),
    set: (_, key) => {
      throw new TypeError(
        `${text()} cannot be changed: '${String(key)}' would be set in this process only.`,
      )
    },
    ownKeys: () => [],
  }) as AnyActorHandle
}

function noMethod({ className, methods }: ActorBinding, name: string): TypeError {
  const closest = closestName(name, methods)
  return new TypeError(
    `Actor class ${className} has no method '${name}'. ` +
      (closest === undefined ? '' : `Did you mean '${closest}'? `) +
      `Its methods are: ${publicMethods(methods)}. Only methods can be called from outside: ` +
      `what is a field, a getter or a function in a field needs a method that returns or calls it.`,
  )
}

export function actorOf(handle: unknown): ActorCore | undefined {
  if (typeof handle !== 'object' || handle === null) return undefined
  return (handle as Record<symbol, unknown>)[actorBinding] as ActorCore | undefined
}

registerAttachment<AnyActorHandle>('actor', {
  encode(handle, refs): ActorBinding {
    const actor = handle[actorBinding]
    actor.refuseEnded(requireCore('a handle of an actor'))
    refs.push(actor.ref)
    return actor.binding
  },
  decode(data, refs) {
    const ref = refs[0]!
    ref.state = refState.primitive
    // An actor that holds a handle to itself would never end: as in Ray that one is not counted.
    const core = requireCore('a handle of an actor')
    const own = core.hosted?.spec.actor
    const isOwn = own !== undefined && own[0] === ref.owner && own[1] === ref.sequence
    const binding = data as ActorBinding
    if (isOwn || binding.isWeak === true) core.references.release(ref)
    return makeHandle(new ActorCore(core, ref, binding))
  },
})
