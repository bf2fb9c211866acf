// Making actors: the spec that the GCS keeps and starts workers from, again after each crash.

import type { RayError } from '../base/errors.js'
import { ActorDiedError } from '../base/errors.js'
import { frameType, pushHeadBytes } from '../wire/frame.js'
import type { ActorSpec, MethodSpec } from '../wire/messages/raylet.js'
import type { SchedulingStrategy } from '../wire/messages/terms.js'
import { ActorCore, type AnyActorHandle, bindingOf, makeHandle } from './actor-handle.js'
import type { ActorConfig } from './call-options.js'
import type { CoreWorker } from './core-worker.js'
import { builtInMethods } from './method-options.js'
import { ObjectRef, refState } from './object-ref.js'
import { keysOf } from './reference-holder.js'
import type { RemoteCode } from './remote-function.js'
import { withInspect } from './inspect-option.js'
import { environmentOf } from './runtime-env.js'
import { SlabWriter } from './slab.js'
import { errorFromWire } from './store-access.js'
import { type FunctionEntry, Task } from './task.js'
import { capturedStrategy } from './scheduling-key.js'
import { currentTask, type TaskContext } from './task-context.js'

export interface ActorClassOptions {
  readonly code: RemoteCode
  readonly methods: readonly string[]
  readonly specs: Readonly<Record<string, MethodSpec>>
  readonly config: ActorConfig
}

/**
 * Names of the methods of a class, those of its base classes and those of every actor included.
 */
export function methodNames(type: { readonly prototype: object }): string[] {
  const names = new Set<string>()
  for (
    let at: object | null = type.prototype;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const { value } = Object.getOwnPropertyDescriptor(at, name) ?? {}
      if (name !== 'constructor' && typeof value === 'function') names.add(name)
    }
  }
  for (const name of builtInMethods) names.add(name)
  return [...names]
}

const constructorEntry: FunctionEntry = {
  number: 0,
  name: 'constructor',
  hash: '',
  define: null,
  averageUs: 0,
  measured: 0,
}

/** Starts an actor; the handle is usable at once. */
export function createActor(
  core: CoreWorker,
  type: ActorClassOptions,
  args: readonly unknown[],
): AnyActorHandle {
  const { code } = type
  const ref = new ObjectRef(core.process, core.nextSequence())
  ref.state = refState.primitive
  core.references.hold(ref)
  const draft = specOf(core, [ref.owner, ref.sequence], type)
  const actor = new ActorCore(core, ref, bindingOf(draft))
  const classHash = code.idOf(core)
  const frames = new SlabWriter()
  const task = new Task(new ObjectRef(core.process, ref.sequence), constructorEntry)
  const head = {
    type: frameType.call,
    returns: 1,
    fn: 0,
    extension: null,
    name: `${code.name}.constructor`,
  } as const
  const create = (): void => {
    const spec = { ...draft, classHash, ...argumentsOf(task) }
    core.actors.create(spec, (message) => {
      if (message.existing !== undefined) actor.become(core, message.existing.actor)
      else if (message.error !== undefined) failLine(core, actor, errorFromWire(message.error))
    })
  }
  if (core.encoder.encodeSmall(task, head, args, frames)) create()
  else {
    const encoded = core.encoder.encodeFull(task, head, {
      args,
      frames,
      whenReady: (failed) => {
        if (failed === null) create()
        else failWith(core, actor, failed)
      },
    })
    if (encoded === 'ready') create()
    else if (encoded !== 'waiting') failWith(core, actor, encoded)
  }
  return makeHandle(actor)
}

/** The group of the task that creates it, if that captures its children, or what was chosen. */
function strategyIn(parent: TaskContext | null, config: ActorConfig): SchedulingStrategy {
  const group = config.followsGroup ? parent?.capturedGroup : undefined
  return group === undefined ? config.strategy : capturedStrategy(group)
}

function failWith(core: CoreWorker, actor: ActorCore, failed: ObjectRef): void {
  core.objects.get(failed, {}).catch((cause: unknown) => {
    const { className } = actor.binding
    const error = new ActorDiedError(
      `Actor ${className} (${actor.id}) was not started: an argument of its constructor failed.`,
      { cause, fields: { actorId: actor.id, className } },
    )
    failLine(core, actor, error)
  })
}

function failLine(core: CoreWorker, actor: ActorCore, error: RayError): void {
  const line = actor.line(core)
  if (line.pendingCalls === 0) core.unseen.notMade(actor.id, error)
  line.endWith(error)
}

type Arguments = Pick<ActorSpec, 'flags' | 'args' | 'nested'>

function argumentsOf(task: Task): Arguments {
  return {
    flags: task.slab![task.start + 5]!,
    args: task.slab!.slice(task.start + pushHeadBytes, task.end),
    nested: task.nested === null ? [] : keysOf(task.nested),
  }
}

/** All that is known before the class is exported and the arguments are ready. */
function specOf(
  core: CoreWorker,
  actor: ActorSpec['actor'],
  type: ActorClassOptions,
): Omit<ActorSpec, 'classHash' | keyof Arguments> {
  const { config, methods, code, specs } = type
  const groups = config.concurrencyGroups
  const parent = currentTask()
  return {
    actor,
    className: code.name,
    placement: config.placement,
    resources: config.resources,
    strategy: strategyIn(parent, config),
    environment: withInspect(environmentOf(core, config.runtimeEnv), config.environment),
    name: config.name,
    namespace: config.namespace ?? core.welcome.namespace,
    detached: config.detached,
    getIfExists: config.getIfExists,
    maxRestarts: config.maxRestarts,
    maxTaskRetries: config.maxTaskRetries,
    maxConcurrency: config.maxConcurrency,
    maxPendingCalls: config.maxPendingCalls,
    depth: parent === null ? 1 : parent.depth + 1,
    methods,
    ...(Object.keys(specs).length > 0 && { methodSpecs: specs }),
    ...(Object.keys(groups).length > 0 && { concurrencyGroups: groups }),
    ...(config.isUnordered && { isUnordered: true }),
  }
}
