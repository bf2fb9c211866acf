// Replays test/golden/store.txt against the object store's state machine.
//
// The transcript is a list of blocks: command lines, `----`, and what they lead to. A line is
// `verb name=value ...`; `at=` moves the clock, sizes are in bytes or, with a p, in pages. With
// UPDATE=1 the expected parts are written anew, and the difference is what a review looks at.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pageBytes } from '../../src/base/limits.js'
import type { Place, StoreEffect, StoreEvent } from '../../src/store/store-events.js'
import { StoreState } from '../../src/store/store-state.js'

const transcript = fileURLToPath(new URL('../../../test/golden/store.txt', import.meta.url))

type Fields = ReadonlyMap<string, string>

class Session {
  #state = new StoreState({ arenaBytes: 10 * pageBytes, spillFolder: '/spill' })
  #now = 0
  #request = 0

  run(line: string): string[] {
    const [verb = '', ...words] = line.split(' ')
    const fields = new Map(words.map((word) => word.split('=', 2) as [string, string]))
    this.#now = Number(fields.get('at') ?? this.#now)
    if (verb === 'store') return this.#start(fields)
    if (verb === 'show') return this.#show()
    const effects = this.#state.handle(this.#event(verb, fields), this.#now)
    this.#state.validate()
    return effects.map(effectText)
  }

  #start(fields: Fields): string[] {
    this.#state = new StoreState({
      arenaBytes: size(fields, 'arena'),
      spillFolder: '/spill',
      spillFileBytes: size(fields, 'file'),
      spillShare: Number(fields.get('share') ?? 1),
    })
    this.#now = 0
    this.#request = 0
    return ['ok']
  }

  #show(): string[] {
    const { usedBytes, objects, pinnedCopies, waiting, files, fileBytes } = this.#state.stats()
    const tick = this.#state.nextTickAt()
    const line =
      `used=${pages(usedBytes)} objects=${objects} pinned=${pinnedCopies} waiting=${waiting} ` +
      `files=${files} fileBytes=${pages(fileBytes)} tick=${tick ?? 'none'}`
    const places = [...this.#state.objects.keys()].map((object) => {
      const place = this.#state.locationOf(object)
      return `${object} ${place === undefined ? 'nowhere' : placeText(place)}`
    })
    return [line, ...places]
  }

  #event(verb: string, fields: Fields): StoreEvent {
    const client = fields.get('client') ?? 'none'
    const object = fields.get('object') ?? 'none'
    const number = (name: string): number => Number(fields.get(name))
    switch (verb) {
      case 'allocate':
        return { kind: verb, client, request: ++this.#request, sizeBytes: size(fields, 'size') }
      case 'pin':
        return { kind: verb, client, request: ++this.#request, object }
      case 'seal': {
        const isSecondary = fields.get('secondary') === 'yes'
        return { kind: verb, client, copy: number('copy'), object, isSecondary }
      }
      case 'abort':
      case 'unpin':
        return { kind: verb, client, copy: number('copy') }
      case 'free':
        return { kind: verb, object }
      case 'clientDied':
        return { kind: verb, client }
      case 'spillDone':
      case 'fileOpened':
        return { kind: verb, file: number('file') }
      case 'spillFailed':
      case 'fileFailed': {
        const code = fields.get('code') ?? 'ENOSPC'
        return { kind: verb, file: number('file'), code, freeBytes: size(fields, 'free') }
      }
      case 'tick':
        return { kind: verb }
      default:
        throw new Error(`unknown verb ${verb}`)
    }
  }
}

function size(fields: Fields, name: string): number {
  const text = fields.get(name) ?? '0'
  return text.endsWith('p') ? Number(text.slice(0, -1)) * pageBytes : Number(text)
}

function pages(bytes: number): string {
  return bytes > 0 && bytes % pageBytes === 0 ? `${bytes / pageBytes}p` : String(bytes)
}

function placeText(place: Place): string {
  const warm = place.file === 0 ? ` warm=${pages(place.warmBytes)}` : ''
  return `file=${place.file} offset=${pages(place.offset)} size=${pages(place.sizeBytes)}${warm}`
}

function effectText(effect: StoreEffect): string {
  switch (effect.kind) {
    case 'grant':
      return (
        `grant ${effect.client}/${effect.request} ` +
        `copy=${effect.copy} ${placeText(effect.place)}`
      )
    case 'pinned':
      return (
        `pinned ${effect.client}/${effect.request} ${effect.object} ` +
        `copy=${effect.copy} ${placeText(effect.place)}`
      )
    case 'missing':
      return `missing ${effect.client}/${effect.request} ${effect.object}`
    case 'refuse':
      return `refuse ${effect.client}/${effect.request} ${effect.code} ${effect.message}`
    case 'evicted':
      return `evicted ${effect.object}`
    case 'startSpill': {
      const items = effect.items.map(
        ({ copy, from, to, sizeBytes }) =>
          ` ${copy}:${pages(from)}->${pages(to)}+${pages(sizeBytes)}`,
      )
      return `startSpill file=${effect.file}${items.join('')}`
    }
    case 'openFile':
      return `openFile file=${effect.file} size=${pages(effect.sizeBytes)}`
    case 'closeFile':
      return `closeFile file=${effect.file}`
    case 'askCollect':
      return `askCollect ${effect.clients.join(',')}`
  }
}

function replay(text: string): string {
  const session = new Session()
  const blocks = text.trimEnd().split('\n\n')
  const replayed = blocks.map((block) => {
    const lines = block.split('\n')
    const cut = lines.indexOf('----')
    const commands = cut < 0 ? lines : lines.slice(0, cut)
    const active = commands.filter((line) => line !== '' && !line.startsWith('#'))
    if (active.length === 0) return block
    const output = active.flatMap((line) => session.run(line))
    return [...commands, '----', ...(output.length > 0 ? output : ['nothing'])].join('\n')
  })
  return `${replayed.join('\n\n')}\n`
}

test('the object store does what its transcript says', () => {
  const expected = readFileSync(transcript, 'utf8')
  const actual = replay(expected)
  if (process.env.UPDATE === '1') writeFileSync(transcript, actual)
  else assert.equal(actual, expected)
})
