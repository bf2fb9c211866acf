import {
  ActorCore,
  actorOf,
  exitActor as leaveActor,
  type ActorSpec,
  bindingOf,
  installActorDispose,
  makeHandle,
  ObjectRef,
  refState,
} from '../worker/index.js'
import { checkNamespace } from './namespace.js'
import { RayActorError } from '../base/errors.js'
import { checkKeys } from './objects.js'
import { requireSession } from './session.js'
import type { ActorHandle } from './signatures.js'

/** How `ray.kill` ends an actor. */
export interface KillOptions {
  /** Do not start the actor again, even if `maxRestarts` allows it; true by default. */
  readonly noRestart?: boolean
}

/**
 * Ends an actor at once, whatever it does. Calls that wait fail with ActorDiedError.
 *
 * Follows `ray.kill` of Ray.
 *
 * @example
 * const Idle = ray.remote(class { wait() { return new Promise(() => undefined) } })
 * const idle = Idle.remote()
 * ray.kill(idle)
 *
 * @throws TypeError for anything that is not the handle of an actor.
 */
export function kill(actor: unknown, options: KillOptions = {}): void {
  checkKeys('ray.kill', options, ['noRestart'])
  const core = actorOf(actor)
  if (core === undefined) {
    throw new TypeError(
      'ray.kill takes the handle of an actor. To cancel a task use ray.cancel(ref).',
    )
  }
  const session = requireSession()
  core.line(session)
  session.actors.kill(core.key, options.noRestart !== false)
}

/**
 * The id of the actor behind a handle: the one that errors, `typeray list actors` and
 * `ray.getRuntimeContext().actorId` name it by. A handle itself has nothing but the methods of its
 * class, so that they may have any name.
 *
 * @example
 * const Named = ray.remote(class { own() { return ray.getRuntimeContext().actorId } })
 * const named = Named.remote()
 * console.log(ray.actorId(named) === (await ray.get(named.own.remote()))) // true
 *
 * @throws TypeError for anything that is not the handle of an actor.
 */
export function actorId(actor: object): string {
  const core = actorOf(actor)
  if (core === undefined) {
    throw new TypeError('ray.actorId takes the handle of an actor.')
  }
  return core.id
}

/**
 * The actor of that name. The handle does not keep the actor alive: that is for the handles of
 * those who made it, or for `lifetime: 'detached'`. Give the type of its class to have typed
 * methods: `getActor<Counter>('counter')`.
 *
 * Follows `ray.get_actor` of Ray.
 *
 * @example
 * class Counter { n = 0; inc() { return ++this.n } }
 * ray.remote({ name: 'counter' }, Counter).remote()
 * const counter = await ray.getActor<Counter>('counter')
 * await ray.get(counter.inc.remote())
 *
 * @throws RayActorError when there is no living actor of that name in the namespace.
 */
export async function getActor<T = Record<string, (...args: never[]) => unknown>>(
  name: string,
  options: { readonly namespace?: string } = {},
): Promise<ActorHandle<T>> {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`ray.getActor takes a name that is not empty, not ${String(name)}.`)
  }
  checkKeys('ray.getActor', options, ['namespace'])
  checkNamespace('ray.getActor', options.namespace)
  const core = requireSession()
  const namespace = options.namespace ?? core.welcome.namespace
  const spec = (await core.query({ what: 'actorByName', name, namespace })) as ActorSpec | undefined
  if (spec === undefined || spec === null) {
    throw new RayActorError(
      `There is no living actor named '${name}' in the namespace '${namespace}'. ` +
        'Was it made with another namespace, or has it ended?',
      { fields: { name, namespace } },
    )
  }
  // The raylet counts one for this handle with its answer.
  const ref = new ObjectRef(spec.actor[0], spec.actor[1])
  ref.state = refState.primitive
  core.references.hold(ref)
  // A name is no reason to live: as in Ray this handle is not counted, nor are copies of it.
  core.references.release(ref)
  const binding = { ...bindingOf(spec), isWeak: true }
  return makeHandle(new ActorCore(core, ref, binding)) as unknown as ActorHandle<T>
}

/** A name that an actor has, and where. */
export interface NamedActor {
  /** Its option `name`. */
  readonly name: string
  /** Its option `namespace`. */
  readonly namespace: string
}

/**
 * The names of all living actors of this namespace, or with `allNamespaces` of all of them.
 *
 * @example
 * const names = await ray.listNamedActors()
 * const everywhere = await ray.listNamedActors({ allNamespaces: true })
 */
export function listNamedActors(options?: { readonly allNamespaces?: false }): Promise<string[]>
export function listNamedActors(options: { readonly allNamespaces: true }): Promise<NamedActor[]>
export async function listNamedActors(
  options: { readonly allNamespaces?: boolean } = {},
): Promise<string[] | NamedActor[]> {
  checkKeys('ray.listNamedActors', options, ['allNamespaces'])
  const core = requireSession()
  const isEverywhere = options.allNamespaces === true
  const what = 'namedActors'
  const rows = (await core.query(
    isEverywhere ? { what } : { what, namespace: core.welcome.namespace },
  )) as NamedActor[]
  return isEverywhere ? rows : rows.map((row) => row.name)
}

/**
 * Ends the actor whose code calls it, from a method, its constructor or a callback. It throws, so
 * that nothing behind it runs; the call fails with ActorDiedError, waiting calls do too, hooks of
 * `process.on('exit')` run, and the actor is not started again.
 *
 * @example
 * const Worker = ray.remote(class {
 *   stop() {
 *     ray.exitActor()
 *   }
 * })
 *
 * @throws TypeError outside of an actor.
 */
export function exitActor(): never {
  return leaveActor()
}

installActorDispose((actor) => {
  const core = requireSession()
  actor.line(core)
  core.actors.kill(actor.key, true)
  return Promise.resolve()
})
