// One rank's side of a group: operations on arrays over shared memory.
//
// In a ring, every rank passes on what it got from its neighbour, because neighbours are all it
// has. Ranks on one machine see the same memory: each writes its share once and reads that of all
// others, in two steps instead of 2 (n - 1).
//
// An array is worked on in rounds, of a chunk each, so that what passes through shared memory stays
// in the cache. In a round each rank writes what others need (written), combines its part of the
// chunk (combined), and reads the parts of all (read). A rank writes round i, combines round
// i - stepLag and reads round i - 2 stepLag, so that it seldom finds that the others are not that
// far. Chunks have `areaSlots` places in turn; a place is written again when all ranks have read
// it.
//
// Before any operation ranks tell each other what they are about to do. All see the same, so all
// throw the same error when it does not fit, and the group can be used again. A rank that has
// waited `timeoutMs` gives up for all: the group is over, since nobody knows where the others are.

import { CollectiveError } from './collective-error.js'
import {
  type ArrayKind,
  arrayKindNumber,
  arrayKinds,
  type NumericArray,
  type ReduceOp,
  reduceOps,
} from './kernels.js'
import { combinerOf } from './combiner.js'
import { Patience } from './patience.js'
import { areaSlots, channelSlots, chunkBytes, pairWord, type Segment, word } from './segment.js'

export interface GroupPlace {
  readonly name: string
  readonly rank: number
  /** Processes of the ranks. */
  readonly pids: readonly number[]
}

const operations = [
  'barrier',
  'allReduce',
  'reduce',
  'broadcast',
  'allGather',
  'reduceScatter',
] as const
type OperationName = (typeof operations)[number]

/** What all ranks must say alike. */
interface Description {
  readonly what: OperationName
  readonly kind: number
  readonly length: number
  readonly op: ReduceOp
  readonly root: number
}

interface Rounds {
  readonly count: number
  /** Writes what others need into place `slot` of this rank's area. */
  write?(round: number, slot: number): void
  /** Combines this rank's part of the chunk. */
  combine?(round: number, slot: number): void
  read?(round: number, slot: number): void
}

/** Rounds between writing and combining, and between combining and reading. */
const stepLag = 2

const isReached = (value: number, target: number): boolean => ((value - target) | 0) >= 0

export class CollectiveGroup {
  readonly place: GroupPlace
  readonly #segment: Segment
  readonly #patience = new Patience()
  /** Operations that this rank has begun. */
  #operation = 0
  /** Rounds of all operations before. */
  #round = 0
  #timeoutMs = 0
  #what = ''
  /** Calls wait for each other: one at a time. */
  #tail: Promise<unknown> = Promise.resolve()
  readonly #channelTails = new Map<string, Promise<unknown>>()
  readonly #messages = new Map<string, number>()

  constructor(segment: Segment, place: GroupPlace) {
    this.#segment = segment
    this.place = place
  }

  get worldSize(): number {
    return this.#segment.worldSize
  }

  /** Runs one operation after the other, in the order of the calls. */
  #inTurn<T>(timeoutMs: number, run: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(() => {
      this.#timeoutMs = timeoutMs
      return run()
    })
    this.#tail = turn.catch(() => undefined)
    return turn
  }

  barrier(timeoutMs: number): Promise<void> {
    return this.#inTurn(timeoutMs, () =>
      this.#agree({ what: 'barrier', kind: 0, length: 0, op: 'SUM', root: 0 }),
    )
  }

  allReduce<T extends NumericArray>(array: T, op: ReduceOp, timeoutMs: number): Promise<T> {
    const kind = arrayKindNumber('allReduce', array)
    return this.#inTurn(timeoutMs, async () => {
      await this.#agree({ what: 'allReduce', kind, length: array.length, op, root: 0 })
      await this.#reduceRounds(array, { kind, op, reads: true })
      return array
    })
  }

  reduce<T extends NumericArray>(
    array: T,
    { op, root, timeoutMs }: { op: ReduceOp; root: number; timeoutMs: number },
  ): Promise<T> {
    const kind = arrayKindNumber('reduce', array)
    return this.#inTurn(timeoutMs, async () => {
      await this.#agree({ what: 'reduce', kind, length: array.length, op, root })
      await this.#reduceRounds(array, { kind, op, reads: root === this.place.rank })
      return array
    })
  }

  async #reduceRounds(
    array: NumericArray,
    { kind, op, reads }: { kind: number; op: ReduceOp; reads: boolean },
  ): Promise<void> {
    const { worldSize } = this
    const { rank } = this.place
    const areas = this.#areas(kind)
    const own = areas[rank] as NumericArray
    const combine = combinerOf(arrayKinds[kind] as ArrayKind, op)
    const others = areas.map((_, step) => areas[(rank + step) % worldSize] as NumericArray).slice(1)
    const size = chunkBytes / bytesOf(kind)
    /** Where part `part` of a round begins, in the round. */
    const bounds = (round: number, part: number): [from: number, to: number] => {
      const length = Math.min(size, array.length - round * size)
      const at = (index: number): number => Math.floor((length * index) / worldSize)
      return [at(part), at(part + 1)]
    }
    await this.#rounds({
      count: Math.ceil(array.length / size),
      write: (round, slot) => {
        for (let part = 0; part < worldSize; part++) {
          if (part === rank) continue
          const [from, to] = bounds(round, part)
          copy(own, slot * size + from, array.subarray(round * size + from, round * size + to))
        }
      },
      combine: (round, slot) => {
        const [from, to] = bounds(round, rank)
        const mine = array.subarray(round * size + from, round * size + to)
        const theirs = others.map((area) => area.subarray(slot * size + from, slot * size + to))
        const out = own.subarray(slot * size + from, slot * size + to)
        combine(mine, theirs, reads ? [out, mine] : [out])
      },
      ...(reads && {
        read: (round: number, slot: number) => {
          for (let part = 0; part < worldSize; part++) {
            if (part === rank) continue
            const [from, to] = bounds(round, part)
            const area = areas[part] as NumericArray
            copy(array, round * size + from, area.subarray(slot * size + from, slot * size + to))
          }
        },
      }),
    })
  }

  broadcast<T extends NumericArray>(array: T, root: number, timeoutMs: number): Promise<T> {
    const kind = arrayKindNumber('broadcast', array)
    return this.#inTurn(timeoutMs, async () => {
      const { length } = array
      await this.#agree({ what: 'broadcast', kind, length, op: 'SUM', root })
      const area = this.#areas(kind)[root] as NumericArray
      const size = chunkBytes / bytesOf(kind)
      const isRoot = root === this.place.rank
      const count = Math.ceil(length / size)
      const end = (round: number): number => Math.min(length, (round + 1) * size)
      await this.#rounds(
        isRoot
          ? {
              count,
              write: (round, slot) =>
                copy(area, slot * size, array.subarray(round * size, end(round))),
            }
          : {
              count,
              read: (round, slot) => {
                const from = slot * size
                const to = from + end(round) - round * size
                copy(array, round * size, area.subarray(from, to))
              },
            },
      )
      return array
    })
  }

  allGather<T extends NumericArray>(
    outputs: readonly T[],
    input: T,
    timeoutMs: number,
  ): Promise<readonly T[]> {
    const kind = arrayKindNumber('allGather', input)
    this.#checkList('allGather', outputs, input)
    return this.#inTurn(timeoutMs, async () => {
      const { length } = input
      await this.#agree({ what: 'allGather', kind, length, op: 'SUM', root: 0 })
      const { rank } = this.place
      const areas = this.#areas(kind)
      const size = chunkBytes / bytesOf(kind)
      const end = (round: number): number => Math.min(length, (round + 1) * size)
      const own = outputs[rank]
      if (own !== undefined) copy(own, 0, input)
      await this.#rounds({
        count: Math.ceil(length / size),
        write: (round, slot) =>
          copy(areas[rank], slot * size, input.subarray(round * size, end(round))),
        read: (round, slot) => {
          const from = slot * size
          const to = from + end(round) - round * size
          outputs.forEach((output, part) => {
            if (part !== rank) copy(output, round * size, areas[part]?.subarray(from, to))
          })
        },
      })
      return outputs
    })
  }

  reduceScatter<T extends NumericArray>(
    output: T,
    inputs: readonly T[],
    { op, timeoutMs }: { op: ReduceOp; timeoutMs: number },
  ): Promise<T> {
    const kind = arrayKindNumber('reduceScatter', output)
    this.#checkList('reduceScatter', inputs, output)
    return this.#inTurn(timeoutMs, async () => {
      const { length } = output
      await this.#agree({ what: 'reduceScatter', kind, length, op, root: 0 })
      const { worldSize } = this
      const { rank } = this.place
      const areas = this.#areas(kind)
      const combine = combinerOf(arrayKinds[kind] as ArrayKind, op)
      const others = areas.filter((_, other) => other !== rank)
      const room = chunkBytes / bytesOf(kind)
      // A chunk has a part for each rank.
      const size = Math.max(1, Math.floor(room / worldSize))
      const end = (round: number): number => Math.min(length, (round + 1) * size)
      await this.#rounds({
        count: Math.ceil(length / size),
        write: (round, slot) =>
          inputs.forEach((input, part) => {
            if (part === rank) return
            const chunk = input.subarray(round * size, end(round))
            copy(areas[rank], slot * room + part * size, chunk)
          }),
        combine: (round, slot) => {
          const from = slot * room + rank * size
          const to = from + end(round) - round * size
          const out = output.subarray(round * size, end(round))
          const mine = (inputs[rank] as T).subarray(round * size, end(round))
          combine(
            mine,
            others.map((area) => area.subarray(from, to)),
            [out],
          )
        },
      })
      return output
    })
  }

  #checkList(what: string, list: readonly NumericArray[], one: NumericArray): void {
    const { worldSize } = this
    if (!Array.isArray(list) || list.length !== worldSize) {
      const got = Array.isArray(list) ? list.length : typeof list
      throw new TypeError(
        `${what} takes a list of ${worldSize} arrays, one for each rank; got ${got}.`,
      )
    }
    const kind = arrayKindNumber(what, one)
    list.forEach((each: NumericArray, rank) => {
      if (arrayKindNumber(what, each) === kind && each.length === one.length) return
      throw new TypeError(
        `${what}: the array for rank ${rank} is ${each.constructor.name}(${each.length}), not ` +
          `${one.constructor.name}(${one.length}) as the other argument.`,
      )
    })
  }

  #areas(kind: number): NumericArray[] {
    return Array.from({ length: this.worldSize }, (_, rank) => this.#segment.area(rank, kind))
  }

  // -- what all operations are made of

  async #agree(mine: Description): Promise<void> {
    const segment = this.#segment
    const { rank } = this.place
    this.#what = mine.what
    this.#refuseOver()
    const operation = ++this.#operation
    segment
      .description(rank, operation)
      .set([
        operations.indexOf(mine.what),
        mine.kind,
        mine.length,
        reduceOps.indexOf(mine.op),
        mine.root,
      ])
    segment.store(rank, word.arrived, operation)
    await this.#all(word.arrived, operation)
    const all = this.place.pids.map((_, other) => describe(segment.description(other, operation)))
    const other = all.findIndex((each) => each !== all[0])
    if (other < 0) return
    throw new CollectiveError(
      `The ranks of the collective group '${this.place.name}' do not agree: rank 0 called ` +
        `${all[0]}, rank ${other} called ${all[other]}. Nothing was exchanged.`,
      { fields: { groupName: this.place.name, calls: all } },
    )
  }

  async #rounds({ count, write, combine, read }: Rounds): Promise<void> {
    const segment = this.#segment
    const { rank } = this.place
    const before = this.#round
    for (let i = 0; i < count + 2 * stepLag; i++) {
      if (i < count) {
        const round = before + i
        if (write !== undefined) {
          const freed = round + 1 - areaSlots
          if (!this.#isAll(word.read, freed)) await this.#all(word.read, freed)
          write(i, round % areaSlots)
        }
        segment.store(rank, word.written, round + 1)
      }
      const combined = i - stepLag
      if (combined >= 0 && combined < count) {
        const round = before + combined
        if (combine !== undefined) {
          if (!this.#isAll(word.written, round + 1)) await this.#all(word.written, round + 1)
          combine(combined, round % areaSlots)
        }
        segment.store(rank, word.combined, round + 1)
      }
      const done = combined - stepLag
      if (done >= 0) {
        const round = before + done
        if (read !== undefined) {
          const which = combine === undefined ? word.written : word.combined
          if (!this.#isAll(which, round + 1)) await this.#all(which, round + 1)
          read(done, round % areaSlots)
        }
        segment.store(rank, word.read, round + 1)
      }
      if ((i & 31) === 31 && this.#patience.isTurnDue) await this.#patience.turn()
    }
    this.#round += count
  }

  #isAll(which: (typeof word)[keyof typeof word], target: number): boolean {
    const segment = this.#segment
    for (let rank = 0; rank < segment.worldSize; rank++) {
      if (!isReached(segment.load(rank, which), target)) return false
    }
    return true
  }

  #all(which: (typeof word)[keyof typeof word], target: number): Promise<void> {
    const late = (): number[] =>
      this.place.pids
        .map((_, rank) => rank)
        .filter((rank) => !isReached(this.#segment.load(rank, which), target))
    return this.#until(() => this.#isAll(which, target), late)
  }

  async #until(isReady: () => boolean, late: () => number[]): Promise<void> {
    if (this.#patience.isSoon(isReady)) return
    const timeoutMs = this.#timeoutMs
    const what = this.#what
    await this.#patience.wait(isReady, (waitedMs) => {
      this.#refuseOver()
      const ended = late().filter((rank) => !isAlive(this.place.pids[rank] ?? 0))
      const isLate = waitedMs > timeoutMs
      if ((!isLate && ended.length === 0) || isReady()) return
      const ranks = isLate ? late() : ended
      this.#segment.abort(this.place.rank)
      throw this.#over(
        isLate
          ? `${what}: ${ranksText(ranks)} did not come within ${timeoutMs} ms`
          : `${what}: the process of ${ranksText(ranks)} has ended`,
        ranks,
      )
    })
  }

  #refuseOver(): void {
    const by = this.#segment.abortedBy
    if (by >= 0) throw this.#over(`rank ${by} gave up waiting for the others`, [by])
  }

  #over(why: string, ranks: readonly number[]): CollectiveError {
    const { name, rank } = this.place
    return new CollectiveError(
      `The collective group '${name}' is over for rank ${rank}: ${why}. Destroy it and ` +
        'initialise it again on all ranks.',
      { fields: { groupName: name, rank, ranks } },
    )
  }

  // -- between two ranks

  send(array: NumericArray, to: number, timeoutMs: number): Promise<void> {
    const kind = arrayKindNumber('send', array)
    return this.#passInTurn([this.place.rank, to], timeoutMs, async (pair, message) => {
      const segment = this.#segment
      segment.pairDescription(pair, 0).set([kind, array.length])
      segment.storePair(pair, pairWord.offered, message)
      await this.#partner(to, () => segment.loadPair(pair, pairWord.answered) === message)
      const misfit = this.#misfit(pair)
      if (misfit !== undefined) throw misfit
      const channel = segment.channel(pair, kind)
      const size = chunkBytes / bytesOf(kind)
      for (let at = 0; at < array.length; at += size) {
        const sent = segment.loadPair(pair, pairWord.sent)
        const hasRoom = (): boolean =>
          isReached(segment.loadPair(pair, pairWord.taken), sent + 1 - channelSlots)
        if (!hasRoom()) await this.#partner(to, hasRoom)
        const slot = (sent & (channelSlots - 1)) * size
        copy(channel, slot, array.subarray(at, Math.min(array.length, at + size)))
        segment.storePair(pair, pairWord.sent, (sent + 1) | 0)
      }
    })
  }

  async recv<T extends NumericArray>(array: T, from: number, timeoutMs: number): Promise<T> {
    const kind = arrayKindNumber('recv', array)
    await this.#passInTurn([from, this.place.rank], timeoutMs, async (pair, message) => {
      const segment = this.#segment
      await this.#partner(from, () => segment.loadPair(pair, pairWord.offered) === message)
      segment.pairDescription(pair, 1).set([kind, array.length])
      // Once it is answered the sender may be at its next message.
      const misfit = this.#misfit(pair)
      segment.storePair(pair, pairWord.answered, message)
      if (misfit !== undefined) throw misfit
      const channel = segment.channel(pair, kind)
      const size = chunkBytes / bytesOf(kind)
      for (let at = 0; at < array.length; at += size) {
        const taken = segment.loadPair(pair, pairWord.taken)
        const isThere = (): boolean =>
          isReached(segment.loadPair(pair, pairWord.sent), (taken + 1) | 0)
        if (!isThere()) await this.#partner(from, isThere)
        const slot = (taken & (channelSlots - 1)) * size
        copy(array, at, channel.subarray(slot, slot + Math.min(size, array.length - at)))
        segment.storePair(pair, pairWord.taken, (taken + 1) | 0)
      }
    })
    return array
  }

  #passInTurn(
    pair: readonly [from: number, to: number],
    timeoutMs: number,
    run: (pair: readonly [number, number], message: number) => Promise<void>,
  ): Promise<void> {
    const key = pair.join()
    const turn = (this.#channelTails.get(key) ?? Promise.resolve()).then(() => {
      this.#refuseOver()
      this.#timeoutMs = timeoutMs
      this.#what = pair[0] === this.place.rank ? 'send' : 'recv'
      const message = ((this.#messages.get(key) ?? 0) + 1) | 0
      this.#messages.set(key, message)
      return run(pair, message)
    })
    this.#channelTails.set(
      key,
      turn.catch(() => undefined),
    )
    return turn
  }

  #partner(rank: number, isReady: () => boolean): Promise<void> {
    return this.#until(isReady, () => [rank])
  }

  /** Both see both descriptions, and throw alike. */
  #misfit(pair: readonly [from: number, to: number]): CollectiveError | undefined {
    const [sent, received] = ([0, 1] as const).map((side) => {
      const [kind = 0, length = 0] = this.#segment.pairDescription(pair, side)
      return `${arrayKinds[kind]?.name}(${length})`
    })
    if (sent === received) return undefined
    const { name } = this.place
    return new CollectiveError(
      `In the collective group '${name}' rank ${pair[0]} sends ${sent} and rank ${pair[1]} ` +
        `receives into ${received}. Nothing was exchanged.`,
      { fields: { groupName: name, pair: [...pair] } },
    )
  }
}

function describe([what = 0, kind = 0, length = 0, op = 0, root = 0]: Float64Array): string {
  const name = operations[what] ?? 'barrier'
  if (name === 'barrier') return 'barrier()'
  const array = `${arrayKinds[kind]?.name}(${length})`
  if (name === 'allGather') return `${name}(${array})`
  if (name === 'broadcast') return `${name}(${array}, from rank ${root})`
  const to = name === 'reduce' ? `, to rank ${root}` : ''
  return `${name}(${array}, ${reduceOps[op]}${to})`
}

function ranksText(ranks: readonly number[]): string {
  return ranks.length === 1 ? `rank ${ranks[0]}` : `the ranks ${ranks.join(', ')}`
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const bytesOf = (kind: number): number => arrayKinds[kind]?.bytes ?? 1

/** The two are of one kind, which the compiler cannot know. */
function copy(to: NumericArray | undefined, at: number, from: NumericArray | undefined): void {
  if (to !== undefined && from !== undefined) (to as Uint8Array).set(from as Uint8Array, at)
}
