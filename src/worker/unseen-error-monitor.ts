// Failures that nobody looks at.
//
// A failed ref that is dropped without a get would take its error with it. So a ref that fails is
// watched: when it is collected, or the session ends, and nobody has seen its error, that is told
// on stderr. Refs that succeed are never watched. As in Ray only failures of tasks count, and of
// the making of actors; what the program itself did, cancelling or killing, is no news to it.
//
// An error is known by its value, which all refs share that failed with it: the returns of one
// task, or tasks that depend on each other. Seen through one of them it is seen.

import {
  ActorDiedError,
  ActorUnschedulableError,
  OutOfMemoryError,
  RayError,
  RayTaskError,
  RuntimeEnvSetupError,
  TaskUnschedulableError,
  WorkerCrashedError,
} from '../base/errors.js'
import {
  unseenActorMs,
  unseenErrorsMax,
  unseenReportsMax,
  unseenReportWindowMs,
} from '../base/limits.js'
import type { ObjectRef } from './object-ref.js'

interface Unseen {
  /** An error body, or an error made in this process. */
  readonly value: object
  readonly nested: readonly unknown[] | null
  /** Refs with this value that are not collected yet. */
  refs: number
}

/** Set to '1' in the environment, nothing is told. */
export const silencingVariable = 'TYPERAY_IGNORE_UNHANDLED_ERRORS'

export interface UnseenPorts {
  readonly now: () => number
  /** The error that an error body holds: now, or later when code must be loaded for it. */
  readonly decode: (body: Uint8Array, nested: readonly unknown[] | null) => unknown
}

export class UnseenErrors {
  readonly #ports: UnseenPorts
  readonly #unseen = new Map<object, Unseen>()
  readonly #seen = new WeakSet<object>()
  /** Refs that somebody asked for before they failed. */
  readonly #asked = new WeakSet<ObjectRef>()
  readonly #registry = new FinalizationRegistry<Unseen>((unseen) => this.#dropped(unseen))
  /** Actors and placement groups that could not be made, by id, while nobody knows. */
  readonly #unmade = new Map<string, RayError>()
  readonly #toldIds = new Set<string>()
  #isSilent = process.env[silencingVariable] === '1'
  #windowSince = -Infinity
  #told = 0
  #untold = 0

  constructor(ports: UnseenPorts) {
    this.#ports = ports
  }

  /** From now on nothing is told. */
  silence(): void {
    this.#isSilent = true
    this.#unseen.clear()
    this.#unmade.clear()
  }

  /** Refs of this process have failed with this value. */
  failed(refs: readonly ObjectRef[], value: object): void {
    if (this.#isSilent || !isNews(value) || this.#seen.has(value)) return
    let unseen = this.#unseen.get(value)
    if (unseen === undefined) {
      if (this.#unseen.size >= unseenErrorsMax) return
      unseen = { value, nested: refs[0]?.nested ?? null, refs: 0 }
      this.#unseen.set(value, unseen)
    }
    for (const ref of refs) {
      // Others know the ref, and may look.
      if (ref.isKnown || this.#asked.has(ref)) this.#look(value)
      unseen.refs++
      this.#registry.register(ref, unseen)
    }
    // A task without returns has nobody who could ask.
    if (refs.length === 0) this.#tell(unseen)
  }

  /** Somebody looks at the ref, or will. */
  saw(ref: ObjectRef): void {
    const { value } = ref
    if (ref.state === 0) this.#asked.add(ref)
    else if (typeof value === 'object' && value !== null) this.#look(value)
  }

  #look(value: object): void {
    this.#seen.add(value)
    this.#unseen.delete(value)
    const id = ownerIdOf(value)
    if (id !== undefined) this.#unmade.delete(id)
  }

  /** An actor or placement group could not be made, and nothing is under way that would say so. */
  notMade(id: string, error: RayError): void {
    if (this.#isSilent || this.#seen.has(error) || this.#unmade.size >= unseenErrorsMax) return
    this.#unmade.set(id, error)
    setTimeout(() => this.#tellUnmade(id), unseenActorMs).unref()
  }

  #tellUnmade(id: string): void {
    const error = this.#unmade.get(id)
    this.#unmade.delete(id)
    if (error !== undefined) this.#write(error)
  }

  #dropped(unseen: Unseen): void {
    unseen.refs--
    if (unseen.refs === 0 && this.#unseen.has(unseen.value)) this.#tell(unseen)
  }

  /** The session ends: whoever has not looked will not. */
  flush(): void {
    for (const unseen of this.#unseen.values()) this.#tell(unseen)
    for (const id of this.#unmade.keys()) this.#tellUnmade(id)
    this.#sayUntold()
  }

  #tell({ value, nested }: Unseen): void {
    this.#look(value)
    if (this.#isSilent) return
    if (!(value instanceof Uint8Array)) {
      this.#writeIfNews(value as Error)
      return
    }
    try {
      const error = this.#ports.decode(value, nested)
      if (error instanceof Promise) error.then((each) => this.#writeIfNews(each as Error), ignore)
      else this.#writeIfNews(error as Error)
    } catch {
      this.#write(new RayError('A task failed with an error that cannot be read here.'))
    }
  }

  #writeIfNews(error: Error): void {
    if (isNews(error)) this.#write(error)
  }

  #write(error: Error): void {
    if (this.#isSilent) return
    const id = ownerIdOf(error)
    if (id !== undefined) {
      if (this.#toldIds.has(id) || this.#toldIds.size >= unseenErrorsMax) return
      this.#toldIds.add(id)
    }
    const now = this.#ports.now()
    if (now - this.#windowSince >= unseenReportWindowMs) {
      this.#windowSince = now
      this.#told = 0
      this.#sayUntold()
    }
    if (++this.#told > unseenReportsMax) this.#untold++
    else process.stderr.write(reportOf(error))
  }

  #sayUntold(): void {
    if (this.#untold === 0) return
    process.stderr.write(`Unhandled errors: ${this.#untold} more like these.\n`)
    this.#untold = 0
  }
}

function ignore(): void {
  // The session ended before the class of the error was here.
}

/** The actor or placement group that could not be made, and of which many errors may tell. */
function ownerIdOf(value: object): string | undefined {
  if (!(value instanceof RayError)) return undefined
  const { actorId, placementGroupId } = value.fields
  const isOfActor = value instanceof ActorDiedError || value instanceof ActorUnschedulableError
  const id = isOfActor ? actorId : placementGroupId
  return typeof id === 'string' ? id : undefined
}

/** Bodies are what user code threw, and are looked at when they are told. */
function isNews(value: object): boolean {
  if (value instanceof Uint8Array) return true
  if (value instanceof ActorDiedError) return value.cause !== undefined
  return newsTypes.some((type) => value instanceof type)
}

const newsTypes = [
  RayTaskError,
  WorkerCrashedError,
  OutOfMemoryError,
  TaskUnschedulableError,
  ActorUnschedulableError,
  RuntimeEnvSetupError,
]

const ownLinesMax = 3

function reportOf(error: Error): string {
  const lines = (error.stack ?? '').split('\n').filter(isOfUser).slice(0, ownLinesMax)
  return [
    `Unhandled error: ${error.message}`,
    ...lines,
    `    Nobody has asked for the result. Get it, or silence this with ${silencingVariable}=1.\n`,
  ].join('\n')
}

/** The folder of the package, or of its bundle. */
const ownFolder = new URL('..', import.meta.url).pathname

function isOfUser(line: string): boolean {
  return /^\s+at /.test(line) && !/node:|typeray:task/.test(line) && !line.includes(ownFolder)
}
