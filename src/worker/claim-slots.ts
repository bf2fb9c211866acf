// Starting a task is a claim in shared memory.
//
// Several tasks are in flight to a worker at once. When the one that runs turns out to be long, or
// spins for ever, the others must go to another worker, and no message can ask a process that does
// not read. So every worker has a word that counts the tasks that it has started; before each start
// it raises the word by compare-and-swap, and an owner that wants the rest back sets the sign bit
// by compare-and-swap. One of the two wins, and both know who. The same word tells how many tasks
// had started when the worker died, which is what at-most-once needs.

import { mapShared, type Memory } from '../store/index.js'
import {
  claimCarriedOffset,
  claimLeaseOffset,
  claimSentOffset,
  claimSlotBytes,
  claimStarted,
  claimStop,
  claimWord,
  isClaimOf,
  stopClaims,
} from '../wire/claim-slot.js'

const wordsPerSlot = claimSlotBytes / 4

export class ClaimSlots {
  readonly #pid: number
  readonly #memory: Memory
  #words: Int32Array | null = null

  /** `memory`: the claim file by its descriptor in the raylet process `pid`. */
  constructor(pid: number, memory: Memory) {
    this.#pid = pid
    this.#memory = memory
  }

  /**
   * Maps the words, unless that is done. Takes some milliseconds the first time: the FFI is loaded.
   */
  prepare(): void {
    if (this.#words !== null) return
    const bytes = mapShared(this.#pid, this.#memory)
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  }

  get isReady(): boolean {
    return this.#words !== null
  }

  /** Worker: claims task `index` of this epoch. False: it was taken back. */
  claim(slot: number, lease: number, index: number): boolean {
    const word = claimWord(lease, index)
    const next = claimWord(lease, index + 1)
    return Atomics.compareExchange(this.#words!, slot * wordsPerSlot, word, next) === word
  }

  /** Worker: starts the carried task of this lease; 0: it has started none. */
  carry(slot: number, lease: number): void {
    if (this.#words !== null)
      Atomics.store(this.#words, slot * wordsPerSlot + claimCarriedOffset / 4, lease + 1)
  }

  /** Worker: an epoch of this lease begins, or goes on after so many tasks. */
  begin(slot: number, lease: number, started = 0): void {
    if (this.#words !== null)
      Atomics.store(this.#words, slot * wordsPerSlot, claimWord(lease, started))
  }

  /** Worker: a lease begins, on which nothing was sent. Comes before `begin`. */
  open(slot: number, lease: number): void {
    if (this.#words === null) return
    const at = slot * wordsPerSlot
    Atomics.store(this.#words, at + claimLeaseOffset / 4, lease)
    Atomics.store(this.#words, at + claimSentOffset / 4, claimWord(lease, 0))
  }

  /** Owner: it is about to have sent so many tasks on this lease. False: the lease is closed. */
  announce(slot: number, lease: number, sent: number): boolean {
    this.prepare()
    if (!this.#isAt(slot, lease)) return false
    const at = slot * wordsPerSlot + claimSentOffset / 4
    const word = Atomics.load(this.#words!, at)
    if (word < 0 || !isClaimOf(word, lease)) return false
    return Atomics.compareExchange(this.#words!, at, word, claimWord(lease, sent)) === word
  }

  /** Worker: nothing more may be sent on its lease. Returns how many tasks were (modulo 2^20). */
  shut(slot: number): number {
    const before = Atomics.or(this.#words!, slot * wordsPerSlot + claimSentOffset / 4, claimStop)
    return claimStarted(before)
  }

  /**
   * Nothing more of this epoch of the lease will be started. Returns how many tasks were (modulo
   * 2^20), or -1 if somebody else stopped it before or the worker is at another lease.
   */
  stop(slot: number, lease: number): number {
    if (slot < 0) return -1
    this.prepare()
    return stopClaims(this.#words!, slot, lease)
  }

  #isAt(slot: number, lease: number): boolean {
    return Atomics.load(this.#words!, slot * wordsPerSlot + claimLeaseOffset / 4) === (lease | 0)
  }
}
