// The words of object-table.txt: processes have names, objects are A/1 (owner and count), bodies
// are one word. A process of another node than that of the table is written R@2; @2 is its raylet.

import { rayletProcess } from '../../src/base/ids.js'
import type { ObjectEffect, ObjectEvent } from '../../src/raylet/object-events.js'
import { ObjectTable } from '../../src/raylet/object-table.js'
import { bodyTag } from '../../src/wire/frame.js'
import type { FromRaylet } from '../../src/wire/messages/raylet.js'
import type { ObjectKey } from '../../src/wire/messages/terms.js'
import type { Command } from './transcript.js'

export class ObjectScript {
  #table = new ObjectTable()
  #now = 0
  readonly #ids = new Map<string, number>()

  run(command: Command): string[] {
    if (command.verb === 'new') {
      this.#table = new ObjectTable()
      return []
    }
    if (command.verb === 'size') return [`${this.#table.size} entries`]
    if (command.verb === 'chain') return this.#chain(command)
    this.#now += command.number('after', 0)
    const effects = this.#table.handle(this.#event(command), this.#now)
    this.#table.validate()
    return effects.map((effect) => this.#line(effect))
  }

  /** Objects that each contain the one before; the last one holds them all. */
  #chain(command: Command): string[] {
    const from = this.#id(command.word(0))
    const length = Number(command.word(1))
    const body = new Uint8Array([bodyTag.full])
    for (let sequence = 1; sequence <= length; sequence++) {
      const contains: ObjectKey[] = sequence === 1 ? [] : [[from, sequence - 1]]
      this.#table.handle(
        { kind: 'escape', from, objects: [{ sequence, body, contains }] },
        this.#now,
      )
      if (sequence === 1) continue
      this.#table.handle({ kind: 'release', from, objects: [from, sequence - 1] }, this.#now)
    }
    this.#table.validate()
    return [`${this.#table.size} entries`]
  }

  #id(name: string): number {
    const [own = '', node = '0'] = name.split('@')
    const local = own === '' ? 0 : 100 + this.#ids.size
    const id = this.#ids.get(name) ?? rayletProcess(Number(node)) + local
    this.#ids.set(name, id)
    return id
  }

  #name(id: number): string {
    for (const [name, known] of this.#ids) if (known === id) return name
    return id % rayletProcess(1) === 0 ? `@${id / rayletProcess(1)}` : String(id)
  }

  #key(text: string): ObjectKey {
    const [owner = '', sequence] = text.split('/')
    return [this.#id(owner), Number(sequence)]
  }

  #keys(text: string | undefined): ObjectKey[] {
    return text === undefined ? [] : text.split(',').map((key) => this.#key(key))
  }

  #event(command: Command): ObjectEvent {
    const { verb } = command
    const contains = this.#keys(command.options.get('contains'))
    const body = bodyOf(command.options.get('body'))
    switch (verb) {
      case 'escape': {
        const [from, sequence] = this.#key(command.word(0))
        const object = body === undefined ? { sequence } : { sequence, body, contains }
        return { kind: verb, from, objects: [object] }
      }
      case 'settle': {
        const from = this.#id(command.text('by', 'nobody'))
        return {
          kind: verb,
          from,
          object: this.#key(command.word(0)),
          body: body ?? new Uint8Array(1),
          contains,
        }
      }
      case 'seal':
      case 'copy-added':
      case 'copy-removed':
      case 'copy-missing':
      case 'node-died':
        return this.#nodeEvent(command)
      case 'lend':
        return { kind: verb, to: this.#id(command.word(1)), objects: this.#keys(command.word(0)) }
      case 'drop-items': {
        const [from, first] = this.#key(command.word(1))
        const count = command.number('count')
        return { kind: 'dropItems', from, worker: this.#id(command.word(0)), first, count }
      }
      case 'unlend':
        return { kind: verb, from: this.#id(command.word(1)), objects: this.#keys(command.word(0)) }
      case 'release':
        return {
          kind: verb,
          from: this.#id(command.word(1)),
          objects: this.#keys(command.word(0)).flat(),
        }
      case 'free':
        return { kind: verb, objects: this.#keys(command.word(0)) }
      case 'get':
      case 'await': {
        const from = this.#id(command.word(1))
        const kind = verb === 'get' ? 'getObjects' : 'awaitObjects'
        return { kind, from, objects: this.#keys(command.word(0)) }
      }
      case 'actor': {
        const actor = this.#key(command.word(0))
        return { kind: 'createActor', from: this.#id(command.word(1)), actor, nested: contains }
      }
      case 'tick':
        return { kind: verb }
      case 'died':
        return { kind: 'processDied', process: this.#id(command.word(0)) }
      default:
        return this.#lossEvent(command)
    }
  }

  #lossEvent(command: Command): ObjectEvent {
    const { verb } = command
    const keys = this.#keys(command.word(0))
    const from = keys[0]?.[0] ?? 0
    const sequences = keys.map(([, sequence]) => sequence)
    switch (verb) {
      case 'lost':
        return { kind: 'copiesLost', objects: keys, reason: 'its node has died' }
      case 'said-stored': {
        const [attempt, node] = [command.number('attempt', 0), command.number('node')]
        return { kind: 'saidStored', from, sequence: sequences[0] ?? 0, node, attempt }
      }
      case 'revive': {
        const isHeld = command.words[1] === 'held'
        const attempt = command.number('attempt', 0)
        return { kind: verb, from, sequence: sequences[0] ?? 0, attempt, isHeld }
      }
      case 'release-lineage':
        return { kind: 'releaseLineage', from, request: 1, sequences }
      default:
        throw new Error(`unknown command ${verb}`)
    }
  }

  #nodeEvent(command: Command): ObjectEvent {
    const { verb } = command
    const [first = '', node = first] = command.words
    if (verb === 'node-died') return { kind: 'nodeDied', node: Number(node) }
    if (verb === 'seal') return this.#seal(command)
    return {
      kind: verb === 'copy-added' ? 'copyAdded' : 'copyRemoved',
      object: this.#key(first),
      node: Number(node),
      ...(verb === 'copy-missing' && { isMissing: true }),
    }
  }

  #seal(command: Command): ObjectEvent {
    const by = command.options.get('by')
    return {
      kind: 'seal',
      object: this.#key(command.word(0)),
      contains: this.#keys(command.options.get('contains')),
      attempt: command.number('attempt', 0),
      node: command.number('node', 0),
      sizeBytes: command.number('size', 1000),
      ...(by !== undefined && { from: this.#id(by) }),
    }
  }

  #line(effect: ObjectEffect): string {
    switch (effect.kind) {
      case 'sendStored':
        return (
          `${this.#name(effect.to)} <- ${this.#text(effect.object)} is in the ` +
          `store${effect.sources.length === 0 ? '' : ` of node ${effect.sources.join(', ')}`}` +
          this.#with(effect.contains)
        )
      case 'freeStored':
        return `store: free ${this.#text(effect.object)}`
      case 'dropCopies':
        return `node ${effect.nodes.join(', ')}: drop ${this.#text(effect.object)}`
      case 'makePrimary':
        return `node ${effect.node}: ${this.#text(effect.object)} is primary`
      case 'elsewhere': {
        const { event } = effect
        const flat = event.objects.flat()
        const keys = flat.flatMap((part, i): ObjectKey[] =>
          i % 2 === 0 ? [[part, flat[i + 1] ?? 0]] : [],
        )
        const who = this.#name(event.kind === 'lend' ? event.to : event.from)
        const text = keys.map((key) => this.#text(key)).join(' ')
        return `home of ${text}: ${event.kind} ${who}`
      }
      case 'actorOutOfScope':
        return `gcs: actor ${this.#text(effect.actor)} is out of scope`
      case 'send': {
        const { message } = effect
        if (message.kind !== 'ready') return this.#lineage(effect.to, message)
        const what =
          message.error !== undefined
            ? `${message.error.code}: ${message.error.message}`
            : message.body === undefined
              ? 'ready'
              : Buffer.from(message.body.subarray(1)).toString()
        return (
          `${this.#name(effect.to)} <- ${this.#text(message.object)} ` +
          `${what}${this.#with(message.contains ?? [])}`
        )
      }
    }
  }

  #lineage(to: number, message: FromRaylet): string {
    const start = `${this.#name(to)} <-`
    switch (message.kind) {
      case 'objectLost': {
        const lost = message.objects.map(([n, attempt]) => `${n} (attempt ${attempt})`)
        return `${start} lost ${lost.join(', ')}: ${message.reason}`
      }
      case 'lineageNeeded':
        return `${start} lineage needed of [${message.sequences.join(' ')}]`
      case 'revived':
        return `${start} ${message.sequence} is known again`
      case 'lineageDone':
        return `${start} lineage of ${message.sequence} not needed any more`
      default:
        return message.kind
    }
  }

  #text([owner, sequence]: ObjectKey): string {
    return `${this.#name(owner)}/${sequence}`
  }

  #with(contains: readonly ObjectKey[]): string {
    return contains.length === 0 ? '' : ` with ${contains.map((key) => this.#text(key)).join(' ')}`
  }
}

function bodyOf(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  const tag = text === 'stored' ? bodyTag.stored : bodyTag.full
  return Buffer.concat([Buffer.from([tag]), Buffer.from(text)])
}
