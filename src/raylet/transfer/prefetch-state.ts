// What tasks that wait on this node will read, so that it comes from other nodes before they run.
//
// Whoever has tasks waiting, a worker behind the one that runs or the raylet in its queue, says
// which objects the first of them read; all of them each time, so that nothing has to be taken back
// by name when tasks are cancelled or go elsewhere.
//
// What has come ahead holds its share of the room for pulls until no list names it: its task has
// begun, or will not. Otherwise each copy that comes would push out one that came before and that
// nobody has read yet. What was pushed out all the same, by what this node works with, comes again
// when its task asks for it, and not before.
//
// Invariants, checked by validate():
//   - an object is wanted by as many as name it, and by one at least;
//   - `heldBytes` is the sum of what has come.

import { assert, assertNever } from '../../base/assert.js'
import type { ProcessId } from '../../base/ids.js'
import { prefetchObjectsMax } from '../../base/limits.js'
import type { ObjectKey } from '../../wire/messages/terms.js'
import { keyText } from './pull-state.js'

export type PrefetchEvent =
  /** All that the waiting tasks of this process read, the first to be needed first. */
  | { readonly kind: 'list'; readonly by: ProcessId; readonly objects: readonly ObjectKey[] }
  /** A copy has come from another node. */
  | { readonly kind: 'came'; readonly object: ObjectKey; readonly sizeBytes: number }
  /** The copy of this node was evicted or dropped. */
  | { readonly kind: 'gone'; readonly object: ObjectKey }

export type PrefetchEffect =
  | { readonly kind: 'hint'; readonly object: ObjectKey }
  /** No task that waits reads it any more. */
  | { readonly kind: 'unwanted'; readonly object: ObjectKey }

interface Wanted {
  readonly object: ObjectKey
  /** Lists that name it. */
  lists: number
  /** What it takes of the store since it has come; 0 before. */
  heldBytes: number
}

export class PrefetchState {
  /** By who has said it; a list that is empty is not kept. */
  readonly #lists = new Map<ProcessId, ReadonlyMap<string, ObjectKey>>()
  readonly #wanted = new Map<string, Wanted>()
  #heldBytes = 0

  /** Bytes that have come ahead and are still waited for. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  handle(event: PrefetchEvent): PrefetchEffect[] {
    switch (event.kind) {
      case 'list':
        return this.#list(event.by, event.objects.slice(0, prefetchObjectsMax))
      case 'came':
        this.#hold(event.object, event.sizeBytes)
        return []
      case 'gone':
        this.#hold(event.object, 0)
        return []
      default:
        return assertNever(event)
    }
  }

  validate(): void {
    const counts = new Map<string, number>()
    for (const list of this.#lists.values()) {
      assert(list.size > 0, 'an empty list is not kept')
      for (const key of list.keys()) counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    let heldBytes = 0
    for (const [key, wanted] of this.#wanted) {
      assert(wanted.lists === counts.get(key), 'an object is wanted by those that name it')
      heldBytes += wanted.heldBytes
    }
    assert(counts.size === this.#wanted.size, 'all that is named is wanted')
    assert(heldBytes === this.#heldBytes, 'what has come is counted')
  }

  #list(by: ProcessId, objects: readonly ObjectKey[]): PrefetchEffect[] {
    const before = this.#lists.get(by) ?? new Map<string, ObjectKey>()
    const after = new Map(objects.map((object) => [keyText(object), object]))
    if (after.size > 0) this.#lists.set(by, after)
    else this.#lists.delete(by)
    const effects: PrefetchEffect[] = []
    for (const [key, object] of before) {
      if (!after.has(key) && this.#unwant(key)) effects.push({ kind: 'unwanted', object })
    }
    for (const [key, object] of after) {
      if (!before.has(key) && this.#want(key, object)) effects.push({ kind: 'hint', object })
    }
    return effects
  }

  /** True: nobody has wanted it before. */
  #want(key: string, object: ObjectKey): boolean {
    const known = this.#wanted.get(key)
    if (known !== undefined) known.lists++
    else this.#wanted.set(key, { object, lists: 1, heldBytes: 0 })
    return known === undefined
  }

  /** True: nobody wants it now. */
  #unwant(key: string): boolean {
    const wanted = this.#wanted.get(key)
    assert(wanted !== undefined, 'what is in a list is wanted')
    if (--wanted.lists > 0) return false
    this.#heldBytes -= wanted.heldBytes
    return this.#wanted.delete(key)
  }

  #hold(object: ObjectKey, bytes: number): void {
    const wanted = this.#wanted.get(keyText(object))
    if (wanted === undefined) return
    this.#heldBytes += bytes - wanted.heldBytes
    wanted.heldBytes = bytes
  }
}
