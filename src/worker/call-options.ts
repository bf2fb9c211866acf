// Options of tasks and actors, checked when `remote()` or `options()` is called.
//
// Every option of Ray (python/ray/_common/ray_option_utils.py) is known here by its camelCase name:
// it is built, or it is refused with the reason. What is not an option at all is refused too, so
// that a typing error is not silently ignored.

import { checkAmount } from '../base/amounts.js'
import { didYouMean } from '../base/nearest-name.js'
import type { PlacementGroupTarget, Resources, SchedulingStrategy } from '../wire/messages/terms.js'
import type { LeaseKey } from '../wire/messages/raylet.js'
import { returnsStreaming } from '../wire/frame.js'
import { inspectEnvironment } from './inspect-option.js'
import { compileConcurrencyGroups, type ConcurrencyGroups } from './concurrency-groups.js'
import type { MethodTable } from './method-options.js'

import { labelsOf, type LabelOptions } from './label-options.js'
import { optionHint } from './option-hints.js'
import { compileRuntimeEnv, type RuntimeEnv, type RuntimeEnvConfig } from './runtime-env.js'

export type ErrorClass = abstract new (...args: never[]) => unknown

export interface SharedOptions extends LabelOptions {
  /**
   * CPUs that the task needs, or the actor needs; fractions down to 0.0001 are allowed. Tasks: 1.
   */
  readonly numCpus?: number
  /** GPUs; a fraction shares one with others, more than one must be a whole number. */
  readonly numGpus?: number
  /** A GPU of this type, such as 'A100': on a node with the resource `accelerator_type:A100`. */
  readonly acceleratorType?: string
  /**
   * Bytes of memory to reserve. It is for scheduling and no limit: what uses more goes on, until
   * the memory monitor of the node ends workers because all of them together use too much.
   */
  readonly memory?: number
  /** Custom resources by name. */
  readonly resources?: Readonly<Record<string, number>>
  /** A task: the name in errors. An actor: the name that `ray.getActor` finds it by. */
  readonly name?: string
  /**
   * Open the inspector of the worker, at any port (true) or at this one of 127.0.0.1, and print
   * where: for a debugger to attach to.
   */
  readonly inspect?: boolean | number
  /** Which nodes may be chosen. */
  readonly schedulingStrategy?: SchedulingChoice
  /** What the worker is like; what it submits inherits it. */
  readonly runtimeEnv?: RuntimeEnv
}

export type SchedulingChoice =
  'DEFAULT' | 'SPREAD' | { readonly nodeId: string; readonly soft?: boolean } | GroupChoice

/** A place in a placement group. */
export interface GroupChoice {
  readonly placementGroup: { readonly id: string; readonly bundleSpecs?: readonly object[] }
  /** Any bundle with room by default. */
  readonly bundleIndex?: number
  /** What runs there submits into the group too, unless it names another strategy. */
  readonly captureChildTasks?: boolean
}

/** What a task needs and how it is run again. Follows the options of `ray.remote` for functions. */
export interface TaskOptions extends SharedOptions {
  /** Number of values that the function returns as an array, or 'streaming' for a generator. */
  readonly numReturns?: number | 'streaming'
  /** How often the task is run again when its worker dies; -1: without end. 3 by default. */
  readonly maxRetries?: number
  /** Also run it again when the function throws: anything, or one of these classes. */
  readonly retryExceptions?: boolean | readonly ErrorClass[]
  /** False: state lists and the timeline leave the task out once it has ended. */
  readonly enableTaskEvents?: boolean
  /** Items that a streaming generator may be ahead of its consumer. */
  readonly generatorBackpressureNumObjects?: number
  /**
   * The worker ends after so many runs of the function, and gives back what libraries have kept. 0:
   * never. Tasks with GPUs: 1, so that the memory of the GPU is free again (as in Ray).
   */
  readonly maxCalls?: number
  /** Cancels the task when it aborts. */
  readonly signal?: AbortSignal
}

/** What an actor needs, how it is found and started again. Follows `ray.remote` for classes. */
export interface ActorOptions extends SharedOptions {
  /** Where the name is known; the driver's namespace by default. */
  readonly namespace?: string
  /** 'detached': lives on without handles, until it is killed or the cluster ends. */
  readonly lifetime?: 'detached'
  /** With `name`: the actor of that name if there is one, instead of an error. */
  readonly getIfExists?: boolean
  /** How often the actor is started again when its worker dies; -1: without end. 0 by default. */
  readonly maxRestarts?: number
  /** How often a call in flight is sent again after a restart; -1: without end. 0 by default. */
  readonly maxTaskRetries?: number
  /** Calls that may run at once. 1 by default: a method runs alone, also while it awaits. */
  readonly maxConcurrency?: number
  /** Calls that one caller may have waiting; -1: no limit. */
  readonly maxPendingCalls?: number
  /** Groups of methods by name, with the number of calls of each that may run at once. */
  readonly concurrencyGroups?: ConcurrencyGroups
  /** Options of single methods by name: the defaults of all calls. */
  readonly methods?: MethodTable
  /** A call whose arguments are ready overtakes those that still wait for theirs. */
  readonly allowOutOfOrderExecution?: boolean
  /** False: state lists and the timeline leave out calls that have ended. Methods may differ. */
  readonly enableTaskEvents?: boolean
}

/** Options of Ray that are refused, with the reason. */
const refused: Readonly<Record<string, string>> = {
  objectStoreMemory:
    'is an option of ray.init, not of tasks and actors (Ray has deprecated it there)',
  concurrencyGroup: 'is an option of methods and their calls',
  enableTensorTransport: 'has no meaning in Node: there are no GPU tensors to move',
  captureChildTasks:
    'belongs into schedulingStrategy: { placementGroup, bundleIndex, captureChildTasks }',
  placementGroup: 'is deprecated in Ray: use schedulingStrategy: { placementGroup, bundleIndex }',
  placementGroupBundleIndex:
    'is deprecated in Ray: use schedulingStrategy: { placementGroup, bundleIndex }',
}

const shared = [
  'numCpus',
  'numGpus',
  'acceleratorType',
  'memory',
  'resources',
  'name',
  'inspect',
  'schedulingStrategy',
  'labelSelector',
  'fallbackStrategy',
  'runtimeEnv',
]
const ofTasks = new Set([
  ...shared,
  'numReturns',
  'maxRetries',
  'retryExceptions',
  'maxCalls',
  'generatorBackpressureNumObjects',
  'enableTaskEvents',
  'signal',
])
const ofActors = new Set([
  ...shared,
  'namespace',
  'lifetime',
  'getIfExists',
  'maxRestarts',
  'maxTaskRetries',
  'maxConcurrency',
  'maxPendingCalls',
  'concurrencyGroups',
  'methods',
  'allowOutOfOrderExecution',
  'enableTaskEvents',
])

export interface TaskConfig {
  /** Its environment is that of `runtimeEnv`, and known when there is a session. */
  readonly lease: LeaseKey
  readonly runtimeEnv: RuntimeEnvConfig | undefined
  /** 0: no limit. */
  readonly maxCalls: number
  /** No place was named: inside a group that captures its children the task joins it. */
  readonly followsGroup: boolean
  readonly returns: number
  readonly maxRetries: number
  readonly retryExceptions: boolean | readonly ErrorClass[]
  readonly name: string | undefined
  readonly backpressure: number | undefined
  readonly isListed: boolean
  readonly signal: AbortSignal | undefined
}

export interface ActorConfig {
  /** No place was named: inside a group that captures its children the actor joins it. */
  readonly followsGroup: boolean
  readonly placement: Resources
  readonly resources: Resources
  readonly strategy: SchedulingStrategy
  readonly runtimeEnv: RuntimeEnvConfig | undefined
  readonly name: string
  readonly namespace: string | undefined
  /** What its workers are started with, as in a LeaseKey. */
  readonly environment: string
  readonly detached: boolean
  readonly getIfExists: boolean
  readonly maxRestarts: number
  readonly maxTaskRetries: number
  readonly maxConcurrency: number
  readonly maxPendingCalls: number
  readonly concurrencyGroups: ConcurrencyGroups
  readonly isUnordered: boolean
  readonly isListed: boolean
}

export function compileTaskOptions(options: TaskOptions): TaskConfig {
  refuseUnknown(options, ofTasks, 'a task')
  return {
    lease: {
      resources: resourcesOf(options, 1),
      strategy: placeOf(options),
      environment: inspectEnvironment(options.inspect),
    },
    runtimeEnv: compileRuntimeEnv(options.runtimeEnv),
    maxCalls: maxCallsOf(options),
    followsGroup: saysNoPlace(options),
    returns: returnsOf(options.numReturns),
    maxRetries: retryCount('maxRetries', options.maxRetries, 3),
    retryExceptions: retryExceptionsOf(options.retryExceptions),
    name: nameOf('name', options.name),
    isListed: listedOf(options.enableTaskEvents),
    backpressure: positive(
      'generatorBackpressureNumObjects',
      options.generatorBackpressureNumObjects,
    ),
    signal: signalOf(options.signal),
  }
}

export function listedOf(value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value !== false
  throw new TypeError(`The option 'enableTaskEvents' must be true or false, not ${show(value)}.`)
}

export function compileActorOptions(options: ActorOptions): ActorConfig {
  refuseUnknown(options, ofActors, 'an actor')
  if (options.lifetime !== undefined && options.lifetime !== 'detached') {
    throw new TypeError(
      `The option 'lifetime' must be 'detached' or left out, not ${show(options.lifetime)}.`,
    )
  }
  const name = nameOf('name', options.name) ?? ''
  if (options.getIfExists === true && name === '') {
    throw new TypeError(`The option 'getIfExists' needs the option 'name'.`)
  }
  const isSaid = options.numCpus !== undefined
  return {
    // As in Ray: by default an actor needs a CPU to be placed, and none while it runs.
    placement: resourcesOf(options, 1),
    resources: resourcesOf(options, isSaid ? 1 : 0),
    followsGroup: saysNoPlace(options),
    strategy: placeOf(options),
    runtimeEnv: compileRuntimeEnv(options.runtimeEnv),
    name,
    namespace: nameOf('namespace', options.namespace),
    environment: inspectEnvironment(options.inspect),
    detached: options.lifetime === 'detached',
    getIfExists: options.getIfExists === true,
    maxRestarts: retryCount('maxRestarts', options.maxRestarts, 0),
    maxTaskRetries: retryCount('maxTaskRetries', options.maxTaskRetries, 0),
    maxConcurrency: positive('maxConcurrency', options.maxConcurrency) ?? 1,
    maxPendingCalls: pendingCallsOf(options.maxPendingCalls),
    concurrencyGroups: compileConcurrencyGroups(options.concurrencyGroups),
    isUnordered: flagOf('allowOutOfOrderExecution', options.allowOutOfOrderExecution),
    isListed: listedOf(options.enableTaskEvents),
  }
}

export function refuseUnknown(options: object, known: ReadonlySet<string>, of: string): void {
  if (options === null || typeof options !== 'object') {
    throw new TypeError(`Options of ${of} must be an object, not ${show(options)}.`)
  }
  for (const key of Object.keys(options)) {
    if (known.has(key)) continue
    const why = refused[key]
    if (why !== undefined) throw new TypeError(`The option '${key}' ${why}.`)
    const hint = optionHint(key, of)
    const meant = hint === undefined ? didYouMean(key, known) : ` ${hint}`
    throw new TypeError(
      `'${key}' is not an option of ${of}.${meant} Options are: ` +
        `${[...known].sort().join(', ')}.`,
    )
  }
}

/** Enough to choose the node, and for as many tasks as it will ever run (as in Ray). */
const acceleratorTypeShare = 0.001

function resourcesOf(options: SharedOptions, cpus: number): Resources {
  const resources: Record<string, number> = {}
  const set = (name: string, value: number): void => {
    if (value > 0) resources[name] = value
  }
  set('CPU', options.numCpus === undefined ? cpus : checkAmount('numCpus', options.numCpus))
  if (options.numGpus !== undefined) set('GPU', checkAmount('numGpus', options.numGpus))
  if (options.memory !== undefined) set('memory', checkAmount('memory', options.memory))
  const { acceleratorType } = options
  if (acceleratorType !== undefined) {
    set(`accelerator_type:${nameOf('acceleratorType', acceleratorType)}`, acceleratorTypeShare)
  }
  if (options.resources !== undefined) {
    if (typeof options.resources !== 'object' || options.resources === null) {
      throw new TypeError(`The option 'resources' must be an object of amounts by name.`)
    }
    for (const [name, value] of Object.entries(options.resources)) {
      const own = ownOption.get(name) ?? ownOption.get(name.toUpperCase())
      const why = refused[name]
      if (why !== undefined) {
        throw new TypeError(`The name '${name}' inside 'resources' ${why}.`)
      }
      if (own !== undefined) {
        throw new TypeError(`Use the option '${own}' instead of '${name}' inside 'resources'.`)
      }
      set(name, checkAmount(`resources.${name}`, value))
    }
  }
  return Object.fromEntries(Object.entries(resources).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Resources that have an option of their own. */
const ownOption = new Map([
  ['CPU', 'numCpus'],
  ['GPU', 'numGpus'],
  ['memory', 'memory'],
])

function placeOf(options: SharedOptions): SchedulingStrategy {
  const strategy = strategyOf(options.schedulingStrategy)
  const labels = labelsOf(options)
  if (labels === undefined) return strategy
  if (strategy.kind === 'placementGroup') {
    throw new TypeError(
      "The options 'labelSelector' and 'fallbackStrategy' do not go with a placement group: its " +
        'bundles have their nodes already.',
    )
  }
  return { ...strategy, labels }
}

/** Labels are a place too, and bundles have their nodes already. */
function saysNoPlace(options: SharedOptions): boolean {
  const { schedulingStrategy, labelSelector, fallbackStrategy } = options
  return [schedulingStrategy, labelSelector, fallbackStrategy].every((each) => each === undefined)
}

function strategyOf(choice: SchedulingChoice | undefined): SchedulingStrategy {
  if (choice === undefined || choice === 'DEFAULT') return { kind: 'default' }
  if (choice === 'SPREAD') return { kind: 'spread' }
  if (typeof choice === 'object' && choice !== null) {
    if ('nodeId' in choice) {
      checkChoiceNames(choice, ['nodeId', 'soft'])
      return { kind: 'nodeAffinity', nodeId: String(choice.nodeId), soft: choice.soft === true }
    }
    if ('placementGroup' in choice && typeof choice.placementGroup?.id === 'string') {
      checkChoiceNames(choice, ['placementGroup', 'bundleIndex', 'captureChildTasks'])
      return { kind: 'placementGroup', target: groupTarget(choice) }
    }
  }
  throw new TypeError(
    `The option 'schedulingStrategy' must be 'DEFAULT', 'SPREAD', { nodeId, soft } or ` +
      `{ placementGroup, bundleIndex, captureChildTasks }, not ${show(choice)}.`,
  )
}

/** A name that nobody reads would let a task run anywhere. */
function checkChoiceNames(choice: object, known: readonly string[]): void {
  const wrong = Object.keys(choice).find((name) => !known.includes(name))
  if (wrong === undefined) return
  // Ray says placementGroupBundleIndex.
  const short = wrong.replace(/^placementGroup(?=[A-Z])/, '')
  throw new TypeError(
    `The option 'schedulingStrategy' is wrong: it has '${wrong}', and there are only ` +
      `${known.join(', ')}.${didYouMean(short, known)}`,
  )
}

function groupTarget(choice: GroupChoice): PlacementGroupTarget {
  const { placementGroup, bundleIndex: bundle = -1, captureChildTasks } = choice
  const count = placementGroup.bundleSpecs?.length ?? Infinity
  if (!Number.isInteger(bundle) || bundle < -1 || bundle >= count) {
    const has =
      count === Infinity
        ? ''
        : ` Placement group ${placementGroup.id} has ${count} bundle${count === 1 ? '' : 's'}.`
    throw new RangeError(
      `The option 'schedulingStrategy' is wrong: bundleIndex must be -1 or the index of a ` +
        `bundle, not ${show(bundle)}.${has}`,
    )
  }
  const captures = captureChildTasks === true && { captureChildTasks: true }
  return { group: placementGroup.id, bundle, ...captures }
}

export function returnsOf(numReturns: number | 'streaming' | undefined): number {
  if (numReturns === undefined) return 1
  if (numReturns === 'streaming') return returnsStreaming
  if (typeof numReturns !== 'number' || !Number.isInteger(numReturns) || numReturns < 0) {
    throw new TypeError(
      `The option 'numReturns' must be 'streaming' or an integer of zero or more, not ` +
        `${show(numReturns)}.`,
    )
  }
  return numReturns
}

export function retryCount(name: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise
  if (typeof value !== 'number' || !Number.isInteger(value) || value < -1) {
    throw new RangeError(
      `The option '${name}' only accepts 0, -1 or a positive integer, where -1 represents ` +
        `infinity; not ${show(value)}.`,
    )
  }
  return value
}

function maxCallsOf({ maxCalls, numGpus }: TaskOptions): number {
  if (maxCalls === undefined) return (numGpus ?? 0) > 0 ? 1 : 0
  return Math.max(0, retryCount('maxCalls', maxCalls, 0))
}

function pendingCallsOf(value: unknown): number {
  if (value === undefined || value === -1) return -1
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new RangeError(
      `The option 'maxPendingCalls' must be -1 or a positive integer, not ${show(value)}.`,
    )
  }
  return value
}

export function retryExceptionsOf(value: unknown): boolean | readonly ErrorClass[] {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  if (Array.isArray(value) && value.every((each) => typeof each === 'function')) {
    return value as readonly ErrorClass[]
  }
  throw new TypeError(
    `The option 'retryExceptions' must be true, false or an array of error classes.`,
  )
}

function flagOf(option: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw new TypeError(`The option '${option}' must be true or false, not ${show(value)}.`)
}

export function nameOf(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(
      `The option '${option}' must be a string that is not empty, not ${show(value)}.`,
    )
  }
  return value
}

export function positive(option: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new RangeError(`The option '${option}' must be a positive integer, not ${show(value)}.`)
  }
  return value
}

export function signalOf(value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined
  if (!(value instanceof AbortSignal))
    throw new TypeError(`The option 'signal' must be an AbortSignal.`)
  return value
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value))
}
