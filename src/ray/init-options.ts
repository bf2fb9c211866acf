import path from 'node:path'
import { didYouMean } from '../base/nearest-name.js'
import { checkAmount } from '../base/amounts.js'
import {
  compileRuntimeEnv,
  labelProblem,
  type RuntimeEnv,
  type RuntimeEnvConfig,
  type WorkerEnvironment,
} from '../worker/index.js'
import { newId } from '../base/ids.js'
import type { NodeOptions } from '../node/node-config.js'
import { memoryOptionNames, type MemoryOptions, memoryOptionsOf } from './memory-options.js'
import { checkNamespace } from './namespace.js'
import { driverEnvironment } from './driver-environment.js'
import {
  loggingOptionNames,
  type LoggingOptions,
  rotationOf,
  withLogging,
} from './logging-options.js'

/** What the node is started with. Follows the arguments of `ray.init`. */
export interface InitOptions extends LoggingOptions, MemoryOptions {
  /**
   * The cluster to join: the address that `typeray start --head` has printed, or 'auto' for the one
   * that it started last. 'local' starts a node for this program alone. By default the address in
   * TYPERAY_ADDRESS, else the cluster that `typeray start --head` started last, else a node of its
   * own.
   */
  readonly address?: string
  /** CPUs that tasks may use; all of the machine by default. */
  readonly numCpus?: number
  /** GPUs that tasks may use; those of the machine by default. */
  readonly numGpus?: number
  /** Bytes of memory that tasks may ask for. */
  readonly memory?: number
  /** Custom resources by name. */
  readonly resources?: Readonly<Record<string, number>>
  /** Labels of the node by name. */
  readonly labels?: Readonly<Record<string, string>>
  /** Bytes of shared memory for objects; 30 % of the free memory by default. */
  readonly objectStoreMemory?: number
  /**
   * Folder for objects that do not fit into the store; the system's folder for temporary files by
   * default.
   */
  readonly objectSpillingDirectory?: string
  /**
   * Folder in which the session makes its own, with logs; by default `typeray-<user id>` in the
   * system's folder for temporary files.
   */
  readonly tempDir?: string
  /** Where named actors live; a random one by default. */
  readonly namespace?: string
  /** What all workers of this program are like; tasks and actors may add to it. */
  readonly runtimeEnv?: RuntimeEnv
  /** Keep the session if there is one already, instead of an error. */
  readonly ignoreReinitError?: boolean
}

const known = new Set([
  'runtimeEnv',
  'address',
  'numCpus',
  'numGpus',
  'memory',
  'resources',
  'labels',
  'objectStoreMemory',
  'objectSpillingDirectory',
  'tempDir',
  'namespace',
  ...memoryOptionNames,
  ...loggingOptionNames,
  'ignoreReinitError',
])

const later = 'is not built yet; see "What works" in the README'

const refused: Readonly<Record<string, string>> = {
  localMode: later,
  includeDashboard: later,
  dashboardHost: later,
  dashboardPort: later,
  jobConfig: later,
  loggingLevel: 'is an option of loggingConfig here: { loggingConfig: { logLevel } }',
  enableResourceIsolation: later,
  cgroupPath: later,
  systemReservedCpu: later,
  systemReservedMemory: later,
  proxyServerUrl: later,
  configureLogging: 'has no meaning in Node: there is no logging module to configure',
  loggingFormat: 'has no meaning in Node: there is no logging module to configure',
}

/** Options that describe a node to start; without meaning for one that is there. */
const ofNode = [
  'numCpus',
  'numGpus',
  'memory',
  'resources',
  'labels',
  'objectStoreMemory',
  'objectSpillingDirectory',
] as const

/** A cluster has what it was started with. */
export function refuseNodeOptions(options: InitOptions, address: string): void {
  for (const name of ofNode) {
    if (options[name] === undefined) continue
    throw new TypeError(
      `The option '${name}' of ray.init describes a node to start, but ray.init joins the ` +
        `cluster at ${address}. Give it to 'typeray start', or pass address: 'local' to start a ` +
        `node for this program alone.`,
    )
  }
}

export function nodeOptionsOf(options: InitOptions): NodeOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `ray.init takes an object of options, such as { address: 'auto' }, not ${show(options)}.`,
    )
  }
  for (const key of Object.keys(options)) {
    if (known.has(key)) continue
    const why = refused[key]
    if (why !== undefined) throw new TypeError(`The option '${key}' of ray.init ${why}.`)
    throw new TypeError(
      `'${key}' is not an option of ray.init.${didYouMean(key, known)} Options are: ` +
        `${[...known].sort().join(', ')}.`,
    )
  }
  const { address } = options
  if (address !== undefined && (typeof address !== 'string' || address === '')) {
    throw new TypeError(`The option 'address' of ray.init must be a string that is not empty.`)
  }
  checkNamespace('ray.init', options.namespace)
  check('numCpus', options.numCpus)
  check('numGpus', options.numGpus)
  check('memory', options.memory)
  check('objectStoreMemory', options.objectStoreMemory)
  checkResources(options.resources)
  checkLabels(options.labels)
  const { numCpus, numGpus, memory, resources, labels, objectStoreMemory } = options
  return {
    ...(numCpus !== undefined && { numCpus }),
    ...(numGpus !== undefined && { numGpus }),
    ...(memory !== undefined && { memory }),
    ...(resources !== undefined && { resources }),
    ...(labels !== undefined && { labels }),
    ...(objectStoreMemory !== undefined && { objectStoreMemory }),
    ...(options.objectSpillingDirectory !== undefined && {
      spillFolder: options.objectSpillingDirectory,
    }),
    ...(options.tempDir !== undefined && { tempDir: folderOf(options.tempDir) }),
    namespace: options.namespace ?? `anonymous-${newId(8)}`,
    ...memoryOptionsOf(options),
    ...rotationOf(options),
    environment: withLogging(environmentOf(compileRuntimeEnv(options.runtimeEnv)), options),
  }
}

/** What all workers of the program are like. The hook is exported when there is a session. */
function environmentOf(runtimeEnv: RuntimeEnvConfig | undefined): WorkerEnvironment {
  const base = driverEnvironment()
  if (runtimeEnv === undefined) return base
  const { env, cwd, hook, timeoutMs } = runtimeEnv
  return {
    ...base,
    env: { ...base.env, ...env },
    cwd: cwd ?? base.cwd,
    ...(hook !== undefined && { setup: { hook: `setup-${newId()}`, timeoutMs } }),
  }
}

const ownOptions = new Map([
  ['CPU', 'numCpus'],
  ['GPU', 'numGpus'],
  ['memory', 'memory'],
  ['objectStoreMemory', 'objectStoreMemory'],
])

function checkResources(resources: unknown): void {
  if (resources === undefined) return
  if (typeof resources !== 'object' || resources === null) {
    throw new TypeError("The option 'resources' of ray.init must be an object of amounts by name.")
  }
  for (const [name, amount] of Object.entries(resources)) {
    const own = ownOptions.get(name) ?? ownOptions.get(name.toUpperCase())
    if (own !== undefined) {
      throw new TypeError(
        `Use the option '${own}' of ray.init instead of '${name}' in 'resources'.`,
      )
    }
    checkAmount(`resources.${name}`, amount)
  }
}

function checkLabels(labels: unknown): void {
  if (labels === undefined) return
  if (typeof labels !== 'object' || labels === null) {
    throw new TypeError("The option 'labels' of ray.init must be an object of texts by name.")
  }
  for (const [key, value] of Object.entries(labels)) {
    const problem = key.startsWith('ray.io/')
      ? `'${key}' is one of those that begin with ray.io/, which the node gives itself`
      : labelProblem(key, value)
    if (problem !== undefined) {
      throw new TypeError(`The option 'labels' of ray.init is wrong: ${problem}.`)
    }
  }
}

function folderOf(tempDir: unknown): string {
  if (typeof tempDir === 'string' && tempDir !== '') return path.resolve(tempDir)
  throw new TypeError(
    `The option 'tempDir' of ray.init must be the path of a folder, not ${String(tempDir)}.`,
  )
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}

function check(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new RangeError(
      `The option '${name}' of ray.init must be a number of zero or more, not ${show(value)}.`,
    )
  }
}
