// The words of pull.txt: objects are numbers, readers are names, pulls have the numbers that the
// machine gives them.

import { PullState, type PullEffect, type PullEvent } from '../../src/raylet/transfer/pull-state.js'
import { workerProcess } from '../../src/base/ids.js'
import type { ObjectKey } from '../../src/wire/messages/terms.js'
import { pullUrgency } from '../../src/wire/pull-urgency.js'
import type { Command } from './transcript.js'

/** All objects have the same owner, of node 1. */
const owner = workerProcess(1, 1)
const keyOf = (text: string): ObjectKey => [owner, Number(text)]

export class PullScript {
  #state = new PullState(100)
  #now = 0
  readonly #readers: string[] = ['nobody']

  run(command: Command): string[] {
    if (command.verb === 'new') {
      this.#state = new PullState(100)
      this.#now = 0
      return []
    }
    this.#now += command.number('after', 0)
    const effects = this.#state.handle(this.#event(command), this.#now)
    this.#state.validate()
    const lines = effects.map((effect) => this.#line(effect))
    if (command.verb !== 'next') return lines
    return [...lines, `next tick at ${this.#state.nextTickAt()}, ${this.#state.size} pulls`]
  }

  #reader(name: string): number {
    const known = this.#readers.indexOf(name)
    return known >= 0 ? known : this.#readers.push(name) - 1
  }

  #event(command: Command): PullEvent {
    const word = command.words[0] ?? ''
    const pull = Number(word)
    const error = { code: 'RAY_TEST', message: 'so it is' }
    switch (command.verb) {
      case 'want': {
        const reader = command.options.get('for')
        const urgency = command.text('as', 'get') as keyof typeof pullUrgency
        return {
          kind: 'want',
          object: keyOf(word),
          sizeBytes: command.number('size', 40),
          sources: command.text('from', '').split(',').filter(Boolean).map(Number),
          version: command.number('version', 1),
          urgency: pullUrgency[urgency],
          reader:
            reader === undefined ? undefined : { process: this.#reader(reader), contains: [] },
        }
      }
      case 'allocated':
      case 'finished':
        return { kind: command.verb, pull }
      case 'refused':
        return { kind: 'refused', pull, error }
      case 'stalled': {
        const missing = command.text('missing', '').split(',').filter(Boolean).map(Number)
        return { kind: 'stalled', pull, missing }
      }
      case 'answered':
        return { kind: 'answered', object: keyOf(word), outcome: { error } }
      case 'present':
      case 'unwanted':
      case 'dropped':
        return { kind: command.verb, object: keyOf(word) }
      case 'held':
        return { kind: 'held', bytes: pull }
      case 'died':
        return { kind: 'processDied', process: this.#reader(word) }
      case 'node-died':
        return { kind: 'nodeDied', node: pull }
      case 'next':
      case 'tick':
        return { kind: 'tick' }
      default:
        throw new Error(`unknown command ${command.verb}`)
    }
  }

  #line(effect: PullEffect): string {
    switch (effect.kind) {
      case 'allocate':
        return `pull ${effect.pull} of ${effect.object[1]}: room for ${effect.sizeBytes}`
      case 'read':
        return `pull ${effect.pull}: read from ${effect.sources.join(', ')}`
      case 'abort':
        return `pull ${effect.pull}: stop`
      case 'seal':
        return `pull ${effect.pull}: ${effect.object[1]} is complete`
      case 'deliver':
        return `${this.#names(effect)} <- ${effect.object[1]}`
      case 'answer': {
        const { outcome } = effect
        const what = 'error' in outcome ? outcome.error.code : 'a body'
        return `${this.#names(effect)} <- ${effect.object[1]} ${what}`
      }
      case 'ask':
        return `home: where is ${effect.object[1]}?`
      case 'missing':
        return `home: node ${effect.node} has no ${effect.object[1]}`
      case 'giveUp':
        return `home: this node will have no ${effect.object[1]}`
    }
  }

  #names({ readers }: { readonly readers: readonly { readonly process: number }[] }): string {
    return readers.map(({ process }) => this.#readers[process] ?? '?').join(', ')
  }
}
