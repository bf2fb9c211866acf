// Objects that are known outside of their owner, and who holds them.
//
// An owner's event loop stands still while user code computes, so it cannot answer for its objects.
// What leaves an owner is therefore served here, by a process that never runs user code: the value
// or where it is, and one count for each process that holds it.
//
// Messages about one object come on several sockets, and any of them may overtake another: a
// borrower's release the owner's lend, the executing worker's result the owner's escape. Counts per
// holder absorb that: a release that came first makes the holder's count -1, and the lend makes it
// 0. Hence an object is free exactly when the count of EVERY holder is zero; a sum would be zero
// too early (owner 1, borrower -1).
//
// A pending object that nobody holds any more stays, without a value, until its value comes and is
// dropped: otherwise the late value would make a new object that nobody ever frees.
//
// Invariants, checked by validate():
//   - `contained` of an object is the number of live values that name it in `contains`;
//   - no process that is gone holds a count or waits;
//   - a settled object that has escaped has a count that is not zero.

import { assert, assertNever } from '../base/assert.js'
import { isRaylet, nodeNumberOf, type ProcessId, rayletProcess } from '../base/ids.js'
import { objectPlaceholderMs } from '../base/limits.js'
import { bodyTag } from '../wire/frame.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { Departed } from './departed.js'
import { isAmong, LostStreams } from './lost-streams.js'
import { ObjectCopies } from './object-copies.js'
import { ObjectEntry, storedAnswer, type Waiter } from './object-entry.js'
import type { ObjectEffect, ObjectEvent } from './object-events.js'
import { validateObjects } from './object-validation.js'
import { errorOf, isLater, lossMessages, signalOf, unknownAnswer } from './object-loss.js'

export type { ObjectEffect, ObjectEvent }

type EventOf<Kind extends ObjectEvent['kind']> = Extract<ObjectEvent, { kind: Kind }>

export class ObjectTable {
  /**
   * Entries by owner and sequence. Added by whatever names an object first; removed when nothing
   * holds it.
   */
  readonly #owners = new Map<ProcessId, Map<number, ObjectEntry>>()
  readonly #gone = new Departed()
  readonly #node: number
  /**
   * Entries that were named before their owner said that they escaped, oldest first, with the time.
   */
  readonly #placeholders = new Map<ObjectEntry, number>()
  readonly #lostStreams = new LostStreams()
  /** Somebody waits for what no owner has let out: `tick` is wanted after `objectPlaceholderMs`. */
  isSweepWanted = false
  #size = 0
  #effects: ObjectEffect[] = []
  /**
   * Entries that may have become free; looked at one after the other, so that long chains need no
   * recursion.
   */
  #dirty: ObjectEntry[] = []
  /** Entries whose owners hear of their loss when the event is done. */
  #told: ObjectEntry[] = []

  /** The table of a node: it is the home of the objects of that node's processes. */
  constructor(nodeNumber = 0) {
    this.#node = nodeNumber
  }

  get size(): number {
    return this.#size
  }

  handle(event: ObjectEvent, now: number): ObjectEffect[] {
    this.#effects = []
    this.#apply(event, now)
    this.#sweepPlaceholders(now)
    this.#collect()
    for (const each of lossMessages(this.#told)) this.#effects.push({ kind: 'send', ...each })
    this.#told = []
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  has(object: ObjectKey): boolean {
    return this.#find(object) !== undefined
  }

  /** Nodes with a copy of a stored object, and its size. */
  copiesOf(object: ObjectKey): [number, number][] {
    const copies = this.#find(object)?.copies
    return copies?.complete().map((node) => [node, copies.sizeBytes]) ?? []
  }

  entries(): ObjectEntry[] {
    return [...this.#owners.values()].flatMap((entries) => [...entries.values()])
  }

  validate(): void {
    const entries = this.entries()
    assert(entries.length === this.#size, 'the size is the number of entries')
    const find = (key: ObjectKey): ObjectEntry | undefined => this.#find(key)
    const isForeign = (key: ObjectKey): boolean => this.#isForeign(key)
    validateObjects(entries, { find, isForeign, isGone: (holder) => this.#gone.has(holder) })
  }

  #apply(event: ObjectEvent, now: number): void {
    switch (event.kind) {
      case 'escape':
        return this.#escape(event, now)
      case 'settle':
        return this.#settle(event, now)
      case 'seal':
        return this.#seal(event, now)
      case 'lend':
        return this.#count(event.objects, { holder: event.to, change: 1, now })
      case 'dropItems':
        return this.#dropItems(event)
      case 'unlend':
        return this.#count(event.objects, { holder: event.from, change: -1, now })
      case 'release':
        return this.#release(event, now)
      case 'forget':
        return this.#forgetValues(event)
      case 'free':
        return this.#free(event)
      case 'getObjects':
      case 'awaitObjects':
        return this.#ask(event, now)
      case 'copiesLost':
        return this.#copiesLost(event)
      case 'saidStored':
        return this.#saidStored(event, now)
      case 'revive':
        return this.#revive(event, now)
      case 'releaseLineage':
        return this.#releaseLineage(event)
      case 'createActor':
        return this.#createActor(event, now)
      case 'tick':
        return undefined
      case 'copyAdded':
      case 'copyRemoved':
        return this.#copyChanged(event)
      case 'processDied':
        return this.#processDied(event.process)
      case 'nodeDied':
        return this.#nodeDied(event.node)
      default:
        return assertNever(event)
    }
  }

  #escape(event: EventOf<'escape'>, now: number): void {
    for (const { sequence, body, contains } of event.objects) {
      const entry = this.#entry([event.from, sequence], now)
      this.#makeKnown(entry)
      if (body !== undefined) this.#settleEntry(entry, { body, contains: contains ?? [], now })
      this.#dirty.push(entry)
    }
  }

  #settle({ from, object, body, contains }: EventOf<'settle'>, now: number): void {
    // The owner's own escape came before on the same socket: what it settles and is not here has
    // been freed.
    if (from === object[0] && this.#find(object) === undefined) {
      this.#giveBack(contains)
      return
    }
    this.#settleEntry(this.#entry(object, now), { body, contains: contains ?? [], now })
  }

  #seal(event: EventOf<'seal'>, now: number): void {
    const { object, contains, node = this.#node, sizeBytes = 0, from, attempt = 0 } = event
    const entry = this.#entry(object, now)
    this.#makeKnown(entry)
    if (from !== undefined && this.#lostStreams.has(from, object)) this.#dropItem(entry)
    if (from !== undefined && from !== object[0]) entry.isRecoverable = true
    if (isLater(attempt, entry.attempt)) entry.attempt = attempt
    if (entry.said !== null && !isLater(entry.said.attempt, attempt)) entry.said = null
    if (entry.isSettled) {
      // It was freed, or failed, before its value came, or another node made it too. The store is
      // told to drop what it has.
      if (entry.copies?.has(node) !== true) this.#dropCopies(entry.key, [node])
      this.#giveBack(contains)
    } else {
      entry.isStored = true
      entry.version++
      entry.copies = new ObjectCopies(node, sizeBytes)
      entry.loss = null
      this.#setContains(entry, contains ?? [], now)
      this.#answerAll(entry)
    }
    this.#dirty.push(entry)
  }

  /** The owner holds one count from the moment it is known to have let the object out. */
  #makeKnown(entry: ObjectEntry): void {
    if (entry.isKnown) return
    entry.isKnown = true
    this.#placeholders.delete(entry)
    if (this.#gone.has(entry.key[0])) return
    entry.add(entry.key[0], 1)
  }

  #settleEntry(
    entry: ObjectEntry,
    value: { body: Uint8Array; contains: readonly ObjectKey[]; now: number },
  ): void {
    // The body only says that the object is in the store: `seal`, on another socket perhaps, says
    // where.
    if (entry.isSettled || value.body[0] === bodyTag.stored) {
      this.#giveBack(value.contains)
      return
    }
    entry.body = value.body
    entry.loss = null
    this.#setContains(entry, value.contains, value.now)
    this.#answerAll(entry)
    this.#dirty.push(entry)
  }

  #setContains(entry: ObjectEntry, contains: readonly ObjectKey[], now: number): void {
    entry.contains = contains
    // Objects of other homes came with a count for this raylet on each.
    for (const key of contains) if (!this.#isForeign(key)) this.#entry(key, now).contained++
  }

  #count(
    keys: readonly ObjectKey[],
    { holder, change, now }: { holder: ProcessId; change: 1 | -1; now: number },
  ): void {
    // What the dead held was dropped; what is still on its way to them is not counted.
    if (this.#gone.has(holder)) return
    for (const key of keys) {
      const entry = this.#entry(key, now)
      entry.add(holder, change)
      this.#dirty.push(entry)
    }
  }

  #dropItems({ from, worker, first, count }: EventOf<'dropItems'>): void {
    const items = { of: from, first, count }
    if (!this.#gone.has(worker)) this.#lostStreams.add(worker, items)
    for (const entry of this.#owners.get(from)?.values() ?? []) {
      if (isAmong(entry.key[1], items)) this.#dropItem(entry)
    }
  }

  /** Its owner has never heard of it, and never will. */
  #dropItem(entry: ObjectEntry): void {
    const [owner] = entry.key
    entry.add(owner, -entry.countOf(owner))
    if (!entry.isSettled) entry.isFreed = true
    this.#dirty.push(entry)
  }

  #release({ from, objects }: EventOf<'release'>, now: number): void {
    for (let i = 0; i + 1 < objects.length; i += 2) {
      const entry = this.#entry([objects[i]!, objects[i + 1]!], now)
      entry.add(from, -1)
      this.#dirty.push(entry)
    }
  }

  #forgetValues({ objects }: EventOf<'forget'>): void {
    for (let i = 0; i + 1 < objects.length; i += 2) {
      const entry = this.#find([objects[i]!, objects[i + 1]!])
      if (entry === undefined || entry.isKnown) continue
      this.#placeholders.delete(entry)
      this.#dirty.push(entry)
    }
  }

  #free({ objects }: EventOf<'free'>): void {
    for (const key of objects) {
      const entry = this.#find(key)
      if (entry === undefined || entry.isActor || entry.isFreed) continue
      entry.isFreed = true
      this.#dropValue(entry)
      this.#answerAll(entry)
      this.#dirty.push(entry)
    }
  }

  #copiesLost({ objects, reason }: EventOf<'copiesLost'>): void {
    for (const key of objects) {
      const entry = this.#find(key)
      if (entry?.isStored !== true) continue
      this.#lose(entry, reason)
      this.#dirty.push(entry)
    }
  }

  #saidStored({ from, sequence, node, attempt }: EventOf<'saidStored'>, now: number): void {
    const entry = this.#entry([from, sequence], now)
    this.#makeKnown(entry)
    const isSealed = entry.version > 0 && !isLater(attempt, entry.attempt)
    if (!isSealed) entry.said = { node, attempt }
    if (this.#gone.hasNode(node)) this.#unsaid(entry, node)
  }

  /** Nothing more comes from the node: what it had stored and not told of is lost. */
  #unsaid(entry: ObjectEntry, node: number): void {
    if (entry.said?.node !== node) return
    entry.isRecoverable = true
    entry.attempt = entry.said.attempt
    entry.said = null
    if (entry.isSettled) return // The value of an earlier attempt stands.
    this.#lose(entry, `node number ${node}, which made it, died before it had told of it`)
    this.#dirty.push(entry)
  }

  #lose(entry: ObjectEntry, reason: string): void {
    this.#dropValue(entry)
    entry.wasLost = true
    const isOwnerDead = this.#gone.hasEnded(entry.key[0])
    const isFinal = isOwnerDead || !entry.isRecoverable
    entry.isOwnerDead = isOwnerDead && entry.isRecoverable
    entry.loss = { reason, isTold: isFinal, isFinal }
    if (isFinal) this.#answerAll(entry)
    else if (entry.isWanted) this.#tell(entry)
  }

  /** Asks the owner for the value, once. */
  #tell(entry: ObjectEntry): void {
    if (entry.loss === null || entry.loss.isTold) return
    entry.loss.isTold = true
    this.#told.push(entry)
  }

  #revive({ from, sequence, attempt, isHeld }: EventOf<'revive'>, now: number): void {
    const entry = this.#entry([from, sequence], now)
    entry.isLineageKept = false
    this.#dirty.push(entry)
    const isNew = !entry.isKnown
    this.#makeKnown(entry)
    if (!isNew && isHeld !== true) entry.add(from, 1)
    this.#effects.push({ kind: 'send', to: from, message: { kind: 'revived', sequence } })
    const isGone = entry.isFreed || (isNew && !entry.isSettled)
    if (!isGone) return
    entry.isFreed = false
    entry.isRecoverable = true
    entry.wasLost = true
    entry.attempt = attempt
    entry.loss = { reason: 'it had been freed', isTold: false, isFinal: false }
    if (entry.waiters.length > 0) this.#tell(entry)
  }

  #releaseLineage({ from, request, sequences }: EventOf<'releaseLineage'>): void {
    const kept = sequences.filter((sequence) => this.#find([from, sequence])?.keepLineage())
    const message = { kind: 'lineageNeeded', request, sequences: kept } as const
    this.#effects.push({ kind: 'send', to: from, message })
  }

  #createActor({ from, actor, nested }: EventOf<'createActor'>, now: number): void {
    const entry = this.#entry(actor, now)
    if (entry.isActor) {
      this.#giveBack(nested)
      return
    }
    entry.isActor = true
    entry.isKnown = true
    this.#placeholders.delete(entry)
    entry.add(from, 1)
    this.#setContains(entry, nested, now)
    this.#dirty.push(entry)
  }

  #processDied(process: ProcessId): void {
    this.#gone.processDied(process)
    this.#lostStreams.processDied(process)
    for (const entries of this.#owners.values()) {
      for (const entry of entries.values()) this.#forget(entry, process)
    }
  }

  #forget(entry: ObjectEntry, process: ProcessId): void {
    const changed = entry.forget(process)
    const isLost = entry.key[0] === process && !entry.isActor && !entry.isSettled
    if (isLost) {
      entry.isOwnerDead = true
      this.#answerAll(entry)
    }
    if (isLost || changed) this.#dirty.push(entry)
  }

  #ask(event: EventOf<'getObjects' | 'awaitObjects'>, now: number): void {
    const { kind, from, objects } = event
    const waiter = {
      process: from,
      isSignal: kind === 'awaitObjects',
      isBare: event.isBare === true,
      urgency: event.urgency ?? 0,
    }
    for (const key of objects) {
      const entry = this.#entry(key, now)
      if (this.#gone.has(key[0]) && !entry.isSettled) entry.isOwnerDead = true
      if (entry.isSettled) this.#answer(entry, waiter)
      else {
        entry.waiters.push(waiter)
        if (!entry.isKnown) this.#awaitOwner(entry, now)
        this.#tell(entry)
      }
      this.#dirty.push(entry)
    }
  }

  /** The question has overtaken the escape, or else there is something wrong. */
  #awaitOwner(entry: ObjectEntry, now: number): void {
    if (!this.#placeholders.has(entry)) this.#placeholders.set(entry, now)
    this.isSweepWanted = true
  }

  #answerAll(entry: ObjectEntry): void {
    for (const waiter of entry.waiters.splice(0)) this.#answer(entry, waiter)
  }

  #answer(entry: ObjectEntry, waiter: Waiter): void {
    const { key: object, body } = entry
    const to = waiter.process
    // What was read before a loss may have contained other objects. Raylets read for others.
    const isBare = (waiter.isBare && !entry.wasLost) || isRaylet(to)
    const contains = isBare ? [] : entry.contains
    const error = errorOf(entry)
    if (waiter.isSignal) {
      this.#effects.push({ kind: 'send', to, message: signalOf(entry, error) })
      return
    }
    if (error !== undefined) {
      this.#effects.push({ kind: 'send', to, message: { kind: 'ready', object, error } })
      return
    }
    this.#lendContained(to, contains)
    if (entry.copies !== null) {
      this.#effects.push({
        kind: 'sendStored',
        contains,
        ...storedAnswer(entry, entry.copies, waiter),
      })
      return
    }
    if (body === undefined) return
    this.#effects.push({
      kind: 'send',
      to,
      message: { kind: 'ready', object, body, ...(contains.length === 0 ? {} : { contains }) },
    })
  }

  /** Drops entries that nothing holds, and with them what they contain. */
  #collect(): void {
    for (let entry = this.#dirty.pop(); entry !== undefined; entry = this.#dirty.pop()) {
      if (entry.isWanted) continue
      if (this.#find(entry.key) !== entry) continue
      // A value that nobody holds any more is still to come; see above.
      const isPending = !entry.isSettled && !entry.isActor && !entry.isForsaken
      if (isPending && entry.isKnown) continue
      // A value may come before the escape that it belongs to.
      if (!entry.isKnown && entry.isSettled && this.#placeholders.has(entry)) continue
      if (entry.isActor) this.#effects.push({ kind: 'actorOutOfScope', actor: entry.key })
      this.#dropValue(entry)
      this.#remove(entry)
      if (entry.isLineageKept) {
        const [to, sequence] = entry.key
        this.#effects.push({ kind: 'send', to, message: { kind: 'lineageDone', sequence } })
      }
    }
  }

  #dropValue(entry: ObjectEntry): void {
    if (entry.copies !== null) this.#dropCopies(entry.key, entry.copies.nodes())
    entry.isStored = false
    entry.copies = null
    entry.body = undefined
    const { contains } = entry
    entry.contains = []
    this.#giveBack(contains)
    for (const key of contains) {
      if (this.#isForeign(key)) continue
      const inner = this.#find(key)
      if (inner === undefined) continue
      inner.contained--
      this.#dirty.push(inner)
    }
  }

  #dropCopies(object: ObjectKey, nodes: readonly number[]): void {
    if (nodes.includes(this.#node)) this.#effects.push({ kind: 'freeStored', object })
    const others = nodes.filter((node) => node !== this.#node && !this.#gone.hasNode(node))
    if (others.length > 0) this.#effects.push({ kind: 'dropCopies', object, nodes: others })
  }

  #isForeign([owner]: ObjectKey): boolean {
    return nodeNumberOf(owner) !== this.#node
  }

  /** The receiver holds what a value contains from the moment the value is on its way. */
  #lendContained(to: ProcessId, contains: readonly ObjectKey[]): void {
    const foreign: ObjectKey[] = []
    for (const key of contains) {
      if (this.#isForeign(key)) foreign.push(key)
      else this.#find(key)?.add(to, 1)
    }
    if (foreign.length === 0) return
    this.#effects.push({ kind: 'elsewhere', event: { kind: 'lend', to, objects: foreign } })
  }

  /** Counts of this raylet on objects of other homes that came with a value. */
  #giveBack(contains: readonly ObjectKey[] | undefined): void {
    const foreign = contains?.filter((key) => this.#isForeign(key)) ?? []
    if (foreign.length === 0) return
    const event = { kind: 'release', from: rayletProcess(this.#node), objects: foreign.flat() }
    this.#effects.push({ kind: 'elsewhere', event: { ...event, kind: 'release' } })
  }

  #copyChanged(event: EventOf<'copyAdded' | 'copyRemoved'>): void {
    const { object, node } = event
    const entry = this.#find(object)
    if (event.kind === 'copyAdded') {
      if (entry?.copies == null) this.#dropCopies(object, [node])
      else entry.copies.completed(node)
      return
    }
    if (event.isMissing === true) this.#dropCopies(object, [node])
    if (entry !== undefined) this.#strike(entry, node, 'no node has a copy of it any more')
  }

  /** The node has no copy of it. */
  #strike(entry: ObjectEntry, node: number, reason: string): void {
    const { copies } = entry
    const before = copies?.primary
    if (copies == null || !copies.remove(node)) return
    const { primary } = copies
    if (primary === undefined) {
      this.#lose(entry, reason)
      this.#dirty.push(entry)
    } else if (primary !== before) {
      this.#effects.push({ kind: 'makePrimary', object: entry.key, node: primary })
    }
  }

  #nodeDied(node: number): void {
    this.#gone.nodeDied(node)
    this.#lostStreams.nodeDied(node)
    for (const entry of this.entries()) {
      if (entry.forgetNode(node)) this.#dirty.push(entry)
      this.#unsaid(entry, node)
      this.#strike(entry, node, `node number ${node}, which had the only copy, has died`)
    }
  }

  #sweepPlaceholders(now: number): void {
    for (const [entry, since] of this.#placeholders) {
      if (now - since < objectPlaceholderMs) return
      this.#placeholders.delete(entry)
      this.#dirty.push(entry)
      if (!entry.isSettled) this.#answerUnknown(entry)
    }
    this.isSweepWanted = false
  }

  /** Its owner would have said by now that it let it out. Whoever waits has waited long enough. */
  #answerUnknown(entry: ObjectEntry): void {
    for (const { process: to, isSignal } of entry.waiters.splice(0)) {
      this.#effects.push({ kind: 'send', to, message: unknownAnswer(entry, isSignal) })
    }
  }

  #find(key: ObjectKey): ObjectEntry | undefined {
    return this.#owners.get(key[0])?.get(key[1])
  }

  #entry(key: ObjectKey, now: number): ObjectEntry {
    let entries = this.#owners.get(key[0])
    if (entries === undefined) this.#owners.set(key[0], (entries = new Map()))
    let entry = entries.get(key[1])
    if (entry === undefined) {
      entry = new ObjectEntry(key)
      entries.set(key[1], entry)
      this.#placeholders.set(entry, now)
      this.#size++
    }
    return entry
  }

  #remove(entry: ObjectEntry): void {
    const entries = this.#owners.get(entry.key[0])
    entries?.delete(entry.key[1])
    if (entries?.size === 0) this.#owners.delete(entry.key[0])
    this.#placeholders.delete(entry)
    this.#size--
  }
}
