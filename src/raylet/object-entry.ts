// One object, or one actor, that is known outside of its owner.

import { nodeNumberOf, type ProcessId } from '../base/ids.js'
import type { StoredObject } from '../wire/messages/peer.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { pullUrgency } from '../wire/pull-urgency.js'
import type { ObjectCopies } from './object-copies.js'
import type { ObjectLoss } from './object-loss.js'

export interface Waiter {
  readonly process: ProcessId
  /** It only wants to know that the object is ready. */
  readonly isSignal: boolean
  /** It holds already what the value contains, so nothing is lent to it. */
  readonly isBare: boolean
  /** How soon it should come, from another node: see PullState. */
  readonly urgency: number
}

const noKeys: readonly ObjectKey[] = []

export class ObjectEntry {
  readonly key: ObjectKey
  /**
   * True once its owner let it out, or the store got it. Until then it is a placeholder that
   * somebody named.
   */
  isKnown = false
  isActor = false
  /** Freed by hand. */
  isFreed = false
  /** Its owner died before it was ready. */
  isOwnerDead = false
  /** Its value is in the object store. */
  isStored = false
  /** Where, while it is stored. */
  copies: ObjectCopies | null = null
  /** How often its value was stored: it may be lost and made again. */
  version = 0
  /** Its value was made by another process than its owner, which may have it made again. */
  isRecoverable = false
  /** The attempt at its task whose value was sealed last. */
  attempt = 0
  /** Its value was lost; set until it is there again, or stays lost. */
  loss: ObjectLoss | null = null
  /** A node whose worker says that it has stored the value, of which the node has not told. */
  said: { readonly node: number; readonly attempt: number } | null = null
  /** It was lost before: what its value contains may have changed since it was read. */
  wasLost = false
  /** The owner holds it no more, and keeps its lineage until this entry is gone. */
  isLineageKept = false
  body: Uint8Array | undefined = undefined
  /**
   * Objects nested in its value (of an actor: in its arguments); it holds one count on each until
   * it is freed.
   */
  contains: readonly ObjectKey[] = noKeys
  /** Values that contain it. */
  contained = 0
  /** Who wants the value. Emptied when it is there. */
  waiters: Waiter[] = []
  /** Count of the owner; apart from the others because most objects have no other holder. */
  #owned = 0
  /** Counts of other holders that are not zero. */
  #others: Map<ProcessId, number> | null = null

  constructor(key: ObjectKey) {
    this.key = key
  }

  get isSettled(): boolean {
    return (
      this.isStored ||
      this.body !== undefined ||
      this.isFreed ||
      this.isOwnerDead ||
      this.loss?.isFinal === true
    )
  }

  /** Lost, and nobody has asked its owner for it: no value is to come. */
  get isForsaken(): boolean {
    return this.loss !== null && !this.loss.isTold
  }

  get isUnheld(): boolean {
    return this.#owned === 0 && this.#others === null && this.contained === 0
  }

  /** Somebody holds it, or waits for it. */
  get isWanted(): boolean {
    return !this.isUnheld || this.waiters.length > 0
  }

  /** The owner keeps its lineage from now on, until it is told that this entry is gone. */
  keepLineage(): true {
    this.isLineageKept = true
    return true
  }

  countOf(holder: ProcessId): number {
    return holder === this.key[0] ? this.#owned : (this.#others?.get(holder) ?? 0)
  }

  holders(): ProcessId[] {
    const others = [...(this.#others?.keys() ?? [])]
    return this.#owned === 0 ? others : [this.key[0], ...others]
  }

  add(holder: ProcessId, change: number): void {
    if (holder === this.key[0]) {
      this.#owned += change
      return
    }
    const others = (this.#others ??= new Map<ProcessId, number>())
    const count = (others.get(holder) ?? 0) + change
    if (count !== 0) others.set(holder, count)
    else {
      others.delete(holder)
      if (others.size === 0) this.#others = null
    }
  }

  /** Drops the counts and questions of a process. True when it had any. */
  forget(holder: ProcessId): boolean {
    const count = this.countOf(holder)
    if (count !== 0) this.add(holder, -count)
    const before = this.waiters.length
    if (before > 0) this.waiters = this.waiters.filter(({ process }) => process !== holder)
    return count !== 0 || this.waiters.length !== before
  }

  /** The same for all processes of a node. */
  forgetNode(node: number): boolean {
    const there = this.holders().filter((holder) => nodeNumberOf(holder) === node)
    for (const holder of there) this.forget(holder)
    const before = this.waiters.length
    this.waiters = this.waiters.filter(({ process }) => nodeNumberOf(process) !== node)
    return there.length > 0 || this.waiters.length !== before
  }
}

/** What a reader is told of a stored object; its node is about to have a copy from here on. */
export function storedAnswer(
  { key, contains, version }: ObjectEntry,
  copies: ObjectCopies,
  { process: to, urgency }: Waiter,
): Omit<StoredObject, 'contains'> {
  const { sizeBytes } = copies
  const sources = copies.sourcesFor(to, urgency === pullUrgency.hint)
  return { to, object: key, isNesting: contains.length > 0, sizeBytes, sources, version, urgency }
}
