// A class whose instances are actors: `ray.remote(class { ... })`.

import type { AnyActorHandle } from './actor-handle.js'
import { createActor } from './actor-class.js'
import { attachmentBrand, registerAttachment } from './attachment.js'
import { type ActorConfig, type ActorOptions, compileActorOptions } from './call-options.js'
import { requireCore } from './current-core.js'
import { RemoteCode } from './remote-function.js'
import { portableRuntimeEnv } from './runtime-env.js'

export class RemoteClass {
  /** @internal */ readonly remoteCode: RemoteCode
  /** @internal */ readonly methods: readonly string[]
  /** @internal */ readonly actorOptions: ActorOptions
  readonly #config: ActorConfig

  constructor(code: RemoteCode, methods: readonly string[], options: ActorOptions) {
    this.remoteCode = code
    this.methods = methods
    this.actorOptions = options
    this.#config = compileActorOptions(options)
  }

  /** Starts an actor; returns its handle at once. */
  remote(...args: unknown[]): AnyActorHandle {
    const { remoteCode: code, methods } = this
    const core = requireCore(`${code.name}.remote()`)
    return createActor(core, { code, methods, config: this.#config }, args)
  }

  /** The same class with other options; those not named stay as they are. */
  options(options: ActorOptions): RemoteClass {
    return new RemoteClass(this.remoteCode, this.methods, { ...this.actorOptions, ...options })
  }
}

Object.defineProperty(RemoteClass.prototype, attachmentBrand, { value: 'class' })

interface RemoteClassWire {
  readonly id: string
  readonly name: string
  readonly methods: readonly string[]
  readonly options: string
}

registerAttachment<RemoteClass>('class', {
  encode(value): RemoteClassWire {
    const core = requireCore('a remote class inside a value')
    const { remoteCode: code, methods, actorOptions } = value
    const { runtimeEnv } = actorOptions
    const plain = {
      ...actorOptions,
      ...(runtimeEnv !== undefined && { runtimeEnv: portableRuntimeEnv(core, runtimeEnv) }),
    }
    return { id: code.idOf(core), name: code.name, methods, options: JSON.stringify(plain) }
  },
  decode(data) {
    const { id, name, methods, options } = data as RemoteClassWire
    const code = new RemoteCode(name, null, id)
    return new RemoteClass(code, methods, JSON.parse(options) as ActorOptions)
  },
})
