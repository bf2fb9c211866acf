import {
  ActorCore,
  actorOf,
  type ActorBinding,
  type ActorSpec,
  installActorDispose,
  makeHandle,
  ObjectRef,
  refState,
} from '../worker/index.js'
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
 * The actor of that name. Give the type of its class to have typed methods:
 * `getActor<Counter>('counter')`.
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
  const binding: ActorBinding = {
    className: spec.className,
    methods: spec.methods,
    maxTaskRetries: spec.maxTaskRetries,
    maxPendingCalls: spec.maxPendingCalls,
  }
  return makeHandle(new ActorCore(ref, binding)) as unknown as ActorHandle<T>
}

installActorDispose((actor) => {
  const core = requireSession()
  actor.line(core)
  core.actors.kill(actor.key, true)
  return Promise.resolve()
})
