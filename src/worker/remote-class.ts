// A class whose instances are actors: `ray.remote(class { ... })`.

import type { MethodSpec } from '../wire/messages/raylet.js'
import type { AnyActorHandle } from './actor-handle.js'
import { createActor } from './actor-class.js'
import { attachmentBrand, registerAttachment } from './attachment.js'
import { CallRefusal } from './call-refusal.js'
import { type ActorConfig, type ActorOptions, compileActorOptions } from './call-options.js'
import type { CoreWorker } from './core-worker.js'
import { requireCore } from './current-core.js'
import { checkMethodTable, methodSpecs, unlisted } from './method-options.js'
import { RemoteCode } from './remote-function.js'
import { portableRuntimeEnv } from './runtime-env.js'

type MethodSpecs = Readonly<Record<string, MethodSpec>>

const noSpecs: MethodSpecs = {}
/** Asked of every object by promises and JSON, and by `instanceof`. */
const neverHints = new Set(['then', 'toJSON', 'prototype'])
/** What it has only because it is a function. */
const ofFunctions = new Set(['name', 'length'])

export class RemoteClass extends CallRefusal {
  /** @internal */ readonly remoteCode: RemoteCode
  /** @internal */ readonly methods: readonly string[]
  /** @internal */ readonly actorOptions: ActorOptions
  /** Of a class that came from another process: the options of its methods. @internal */
  readonly inherited: MethodSpecs
  readonly #config: ActorConfig

  constructor(
    code: RemoteCode,
    methods: readonly string[],
    how: { readonly options: ActorOptions; readonly inherited?: MethodSpecs },
  ) {
    // No arrow function: `new` must reach it.
    super(function () {
      const { name } = code
      throw new TypeError(
        `Actors cannot be made directly: instead of new ${name}(...), which would make an object ` +
          `in this process, write ${name}.remote(...), which returns a handle.`,
      )
    })
    this.remoteCode = code
    this.methods = methods
    this.actorOptions = how.options
    this.inherited = how.inherited ?? noSpecs
    this.#config = compileActorOptions(how.options)
    const groups = this.#config.concurrencyGroups
    if (how.options.methods !== undefined) {
      checkMethodTable(how.options.methods, { name: code.name, methods, groups })
    }
    this.#hint()
  }

  /** Starts an actor; returns its handle at once. */
  remote(...args: unknown[]): AnyActorHandle {
    const { remoteCode: code, methods } = this
    const core = requireCore(`${code.name}.remote()`)
    const config = this.#config
    const own = this.specs(core)
    const specs = config.isListed ? own : unlisted(methods, own)
    return createActor(core, { code, methods, specs, config }, args)
  }

  /** The same class with other options; those not named stay as they are. */
  options(options: ActorOptions): RemoteClass {
    const { remoteCode, methods, inherited } = this
    return new RemoteClass(remoteCode, methods, { options: this.with(options), inherited })
  }

  /** What consoles show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `ActorClass(${this.remoteCode.name})`
  }

  /** @internal */
  with(options: ActorOptions): ActorOptions {
    const { methods } = this.actorOptions
    const both = { ...this.actorOptions, ...options }
    if (methods === undefined || options.methods === undefined) return both
    return { ...both, methods: { ...methods, ...options.methods } }
  }

  /** @internal */
  specs(core: CoreWorker): MethodSpecs {
    const { inherited } = this
    const { methods } = this.actorOptions
    return methods === undefined ? inherited : { ...inherited, ...methodSpecs(core, methods) }
  }

  /** `Counter.inc` is a method of the actor and not of the class: reading it says so. */
  #hint(): void {
    const { remoteCode } = this
    for (const method of this.methods) {
      const isTaken = method in this && !ofFunctions.has(method)
      if (isTaken || neverHints.has(method)) continue
      Object.defineProperty(this, method, {
        get: () => {
          const { name } = remoteCode
          throw new TypeError(
            `'${method}' is a method of the actors of class ${name}, not of the class. ` +
              `Start one: const actor = ${name}.remote(); then call actor.${method}.remote().`,
          )
        },
      })
    }
  }
}

Object.defineProperty(RemoteClass.prototype, attachmentBrand, { value: 'class' })

interface RemoteClassWire {
  readonly id: string
  readonly name: string
  readonly methods: readonly string[]
  readonly options: string
  readonly specs: MethodSpecs
}

registerAttachment<RemoteClass>('class', {
  encode(value): RemoteClassWire {
    const core = requireCore('a remote class inside a value')
    const { remoteCode: code, methods, actorOptions } = value
    const { methods: _, runtimeEnv, ...rest } = actorOptions
    const options = {
      ...rest,
      ...(runtimeEnv !== undefined && { runtimeEnv: portableRuntimeEnv(core, runtimeEnv) }),
    }
    return {
      id: code.idOf(core),
      name: code.name,
      methods,
      options: JSON.stringify(options),
      specs: value.specs(core),
    }
  },
  decode(data) {
    const { id, name, methods, options, specs } = data as RemoteClassWire
    const code = new RemoteCode(name, null, id)
    const how = { options: JSON.parse(options) as ActorOptions, inherited: specs }
    return new RemoteClass(code, methods, how)
  },
})
