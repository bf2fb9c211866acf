// How an actor ends itself.
//
// `exitActor()` unwinds the call that made it by throwing, as in Ray. What is thrown is not for
// user code: the runner recognises it and answers nothing, because the call ends with the death of
// the actor. Whoever catches it goes on until the end of the turn.

import type { SelfExit } from '../wire/messages/terms.js'
import { isA } from '../base/thrown.js'

export class ActorExit extends Error {
  override readonly name = 'ActorExit'

  constructor() {
    super('The actor ends itself with ray.exitActor(). Do not catch this.')
  }
}

/** Set in the process of an actor. */
let leave: ((how: SelfExit) => void) | null = null

export function installActorExit(how: (reason: SelfExit) => void): void {
  leave = how
}

export function exitActor(): never {
  if (leave === null) {
    throw new TypeError(
      'ray.exitActor() was called outside of an actor. Only code of an actor can end it; from ' +
        'outside use ray.kill(actor).',
    )
  }
  leave('exitActor')
  throw new ActorExit()
}

export function isActorExit(thrown: unknown): boolean {
  return isA(thrown, ActorExit)
}
