// A function that can be called in another process: `ray.remote(fn)`.

import { declaredName, importingModule } from '../closure/index.js'
import { SessionError } from '../base/errors.js'
import { writeU32 } from '../base/bytes.js'
import { frameType, returnsInByteMax, returnsStreaming } from '../wire/frame.js'
import type { PushExtension } from '../wire/messages/task.js'
import type { CallHead } from './argument-encoder.js'
import { attachmentBrand, registerAttachment } from './attachment.js'
import { CallRefusal } from './call-refusal.js'
import { compileTaskOptions, type TaskConfig, type TaskOptions } from './call-options.js'
import type { CoreWorker } from './core-worker.js'
import { requireCore } from './current-core.js'
import type { Code } from './function-exports.js'
import { ItemStream } from './item-stream.js'
import { ObjectRef } from './object-ref.js'
import { extensionBytes, extensionIn } from './push-extension.js'
import { ObjectRefGenerator } from './ref-generator.js'
import { withInspect } from './inspect-option.js'
import { environmentOf, portableRuntimeEnv } from './runtime-env.js'
import { capturedStrategy, type SchedulingKey } from './scheduling-key.js'
import { type FunctionEntry, Task } from './task.js'
import { currentTask } from './task-context.js'

export type Submitted = ObjectRef | ObjectRef[] | ObjectRefGenerator | undefined

/** How the tasks of one function with one set of options are sent in one session. */
interface Route {
  readonly core: CoreWorker
  readonly key: SchedulingKey
  readonly head: CallHead
}

/** The code behind remote functions: shared by all their variants with other options. */
export class RemoteCode {
  /** Null in a process that knows the function only by its id. */
  readonly code: Code | null
  #name: string
  #id: string
  #core: CoreWorker | null = null
  #entry: FunctionEntry | null = null

  constructor(name: string, code: Code | null, id = '') {
    this.#name = name
    this.code = code
    this.#id = id
  }

  /** Of the function; of the variable that it is made remote for, where it has none. */
  get name(): string {
    if (this.#name === '') {
      this.#name = (this.code === null ? undefined : declaredName(this.code)) ?? 'anonymous'
    }
    return this.#name
  }

  /** The id of the definition, exported to the cluster of `core`. */
  idOf(core: CoreWorker): string {
    if (this.code === null) return this.#id
    if (this.#core !== core || this.#id === '') this.#id = core.functions.idOf(this.code, this.name)
    return this.#id
  }

  entryOf(core: CoreWorker): FunctionEntry {
    if (this.#entry !== null && this.#core === core) return this.#entry
    const hash = this.idOf(core)
    this.#core = core
    const number = core.nextFunctionNumber()
    const define = defineFrame(number, { hash, name: this.name })
    this.#entry = { number, name: this.name, hash, define, averageUs: 0, measured: 0 }
    return this.#entry
  }
}

function defineFrame(number: number, descriptor: { hash: string; name: string }): Uint8Array {
  const text = Buffer.from(JSON.stringify(descriptor))
  const frame = Buffer.allocUnsafe(9 + text.length)
  writeU32(frame, 0, 5 + text.length)
  frame[4] = frameType.define
  writeU32(frame, 5, number)
  text.copy(frame, 9)
  return frame
}

export class RemoteFunction extends CallRefusal {
  /** @internal */ readonly remoteCode: RemoteCode
  /** @internal */ readonly taskOptions: TaskOptions
  readonly #config: TaskConfig
  #route: Route | null = null

  constructor(code: RemoteCode, options: TaskOptions) {
    super(() => {
      const { name } = code
      throw new TypeError(
        `Remote functions cannot be called directly: instead of ${name}(...), which would run in ` +
          `this process, write ${name}.remote(...), which returns an ObjectRef.`,
      )
    })
    this.remoteCode = code
    this.taskOptions = options
    this.#config = compileTaskOptions(options)
  }

  /** Runs the function as a task; returns at once. */
  remote(...args: unknown[]): Submitted {
    const core = requireCore(`${this.remoteCode.name}.remote()`)
    let route = this.#route
    if (route === null || route.core !== core) route = this.#makeRoute(core)
    const { head } = route
    const config = this.#config
    const parent = currentTask()
    const captured = parent !== null && config.followsGroup ? parent.capturedGroup : undefined
    const key = captured === undefined ? route.key : this.#keyIn(captured, core)
    const returns = config.returns
    const ref = new ObjectRef(
      core.process,
      core.nextSequence(returns > 1 && returns !== returnsStreaming ? returns : 1),
    )
    const task = new Task(ref, this.remoteCode.entryOf(core))
    ref.task = task
    task.retriesLeft = config.maxRetries
    task.retryExceptions = config.retryExceptions
    const result = returns === 1 ? ref : shapeReturns(core, task, returns, config.backpressure)
    if (config.signal !== undefined) core.cancelOn(task, config.signal)
    if (parent !== null) core.adopt(parent, task)
    const called =
      parent === null || parent.depth === 0 ? head : withDepth(head, config, parent.depth)
    const actual = task.stream === null ? called : streamHead(called, task.stream.number)
    if (parent !== null) task.depth = parent.depth + 1
    if (core.encoder.encodeSmall(task, actual, args, key.frames)) core.submitter.submit(task, key)
    else this.#submitFull(core, task, actual, { args, key })
    return result
  }

  #submitFull(
    core: CoreWorker,
    task: Task,
    head: CallHead,
    call: { args: readonly unknown[]; key: SchedulingKey },
  ): void {
    const { key } = call
    task.key = key
    const encoded = core.encoder.encodeFull(task, head, {
      args: call.args,
      frames: key.frames,
      whenReady: (failed) => {
        core.waitingCalls--
        if (task.isCancelled) return
        if (failed === null) core.submitter.submit(task, key)
        else core.settler.failLike(task, failed)
      },
    })
    if (encoded === 'ready') core.submitter.submit(task, key)
    else if (encoded === 'waiting') core.waitingCalls++
    else core.settler.failLike(task, encoded)
  }

  #makeRoute(core: CoreWorker): Route {
    const isAlone = core.role === 'worker' && core.hosted === null && currentTask() === null
    const importing = importingModule(isAlone)
    if (importing !== undefined) {
      throw new SessionError(
        `A task was submitted while a worker imports ${importing}. Code at the top level of ` +
          `a module that is imported ` +
          `by a remote function runs in every worker: move the call into a function, or into ` +
          `the main file.`,
      )
    }
    const entry = this.remoteCode.entryOf(core)
    const config = this.#config
    const head = headOf(config, entry, 1)
    this.#route = { core, key: core.submitter.key(leaseKeyOf(core, config)), head }
    return this.#route
  }

  /** Where its tasks go when they are submitted inside a group that captures its children. */
  #keyIn(group: string, core: CoreWorker): SchedulingKey {
    const lease = leaseKeyOf(core, this.#config)
    return core.submitter.key({ ...lease, strategy: capturedStrategy(group) })
  }

  /** The same function with other options; those not named stay as they are. */
  options(options: TaskOptions): RemoteFunction {
    return new RemoteFunction(this.remoteCode, { ...this.taskOptions, ...options })
  }

  /** What consoles show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `RemoteFunction(${this.remoteCode.name})`
  }
}

function leaseKeyOf(core: CoreWorker, { lease, runtimeEnv }: TaskConfig): TaskConfig['lease'] {
  const environment = withInspect(environmentOf(core, runtimeEnv), lease.environment)
  return { ...lease, environment }
}

function headOf(config: TaskConfig, entry: FunctionEntry, depth: number): CallHead {
  const { returns, name, backpressure, maxCalls } = config
  const isMany = returns > returnsInByteMax && returns !== returnsStreaming
  if (maxCalls > 0) entry.endsWorkers = true
  const extension: PushExtension = {
    ...(isMany && { returns }),
    ...(name !== undefined && { name }),
    ...(!config.isListed && { events: false }),
    ...(backpressure !== undefined && { backpressure }),
    ...(depth > 1 && { depth }),
    ...(maxCalls > 0 && { maxCalls }),
  }
  const isPlain = Object.keys(extension).length === 0
  return {
    type: frameType.push,
    returns: isMany ? 0 : returns,
    fn: entry.number,
    extension: isPlain ? null : extensionBytes(extension),
    name: name ?? entry.name,
  }
}

function withDepth(head: CallHead, config: TaskConfig, depth: number): CallHead {
  const entry = { number: head.fn, name: head.name } as FunctionEntry
  return headOf(config, entry, depth + 1)
}

/** The head of a call that yields this stream. */
export function streamHead(head: CallHead, stream: number): CallHead {
  const extension = head.extension === null ? {} : extensionIn(head.extension)
  return { ...head, extension: extensionBytes({ ...extension, stream }) }
}

/** What `remote()` returns when it is not one ref, and the refs of a task with several returns. */
export function shapeReturns(
  core: CoreWorker,
  task: Task,
  returns: number,
  backpressure: number | undefined,
): Submitted {
  if (returns === returnsStreaming) {
    const stream = new ItemStream(core, task, backpressure)
    task.stream = stream
    return new ObjectRefGenerator(stream)
  }
  if (returns === 0) {
    task.returns = []
    return undefined
  }
  const refs = [task.ref]
  for (let i = 1; i < returns; i++) {
    const ref = new ObjectRef(core.process, task.ref.sequence + i)
    ref.task = task
    refs.push(ref)
  }
  task.returns = refs
  return refs
}

Object.defineProperty(RemoteFunction.prototype, attachmentBrand, { value: 'function' })

interface RemoteFunctionWire {
  readonly id: string
  readonly name: string
  readonly options: string
}

registerAttachment<RemoteFunction>('function', {
  encode(value): RemoteFunctionWire {
    const core = requireCore('a remote function inside a value')
    const { signal, retryExceptions, runtimeEnv, ...rest } = value.taskOptions
    const plain = {
      ...rest,
      ...(typeof retryExceptions === 'boolean' && { retryExceptions }),
      ...(runtimeEnv !== undefined && { runtimeEnv: portableRuntimeEnv(core, runtimeEnv) }),
    }
    return {
      id: value.remoteCode.idOf(core),
      name: value.remoteCode.name,
      options: JSON.stringify(plain),
    }
  },
  decode(data) {
    const { id, name, options } = data as RemoteFunctionWire
    return new RemoteFunction(new RemoteCode(name, null, id), JSON.parse(options) as TaskOptions)
  },
})
