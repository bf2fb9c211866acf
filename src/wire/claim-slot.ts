// Claim slots: 64 bytes of shared memory for each worker, in one memfd of the raylet.
//
// The first word counts the tasks of its lease that a worker has started; worker/claim-slots says
// how it is used. A cache line each, so that workers do not disturb one another.
//
//   bit 31 stop | bits 30..20 lease modulo 2048 | bits 19..0 started in this epoch modulo 2^20
//
// The second word is the lease whose carried task the worker started last, plus one; zero until the
// worker has mapped its slot, because a young worker cannot write there.
//
// The third word is the owner's: how many tasks it has sent on this lease, in the same form. It
// counts a task before it sends it, and the worker sets the stop bit before it closes the lease:
// one of the two comes first, and both know which. So no task is sent to a worker that has gone.
//
// The lease is in the first word because an owner may look at it late: the worker may have gone on
// to another lease, whose tasks it must not stop. The fourth word has the whole number of the
// lease, written before the others: who finds it, and then changes a word that names the lease
// modulo 2048, would have to be overtaken by 2048 leases in between to be wrong. Far fewer than
// 2^20 tasks are ever in flight, so differences of counts are exact.

export const claimSlotBytes = 64
/** More than a node has workers: memory that nobody has touched costs nothing. */
export const claimSlotsMax = 8192
export const claimStartedOffset = 0
export const claimCarriedOffset = 4
export const claimSentOffset = 8
export const claimLeaseOffset = 12

export const claimStop = 0x8000_0000 | 0
const countBits = 20
const countMask = (1 << countBits) - 1
const leaseMask = 0x7ff

export function claimWord(lease: number, started: number): number {
  return ((lease & leaseMask) << countBits) | (started & countMask)
}

/** The word belongs to this lease, stopped or not. */
export function isClaimOf(word: number, lease: number): boolean {
  return ((word >>> countBits) & leaseMask) === (lease & leaseMask)
}

export function claimStarted(word: number): number {
  return word & countMask
}

/**
 * Sets the stop bit. Returns how many tasks of the epoch were started (modulo 2^20), or -1 if
 * somebody else stopped it before or the worker is at another lease.
 */
export function stopClaims(words: Int32Array, slot: number, lease: number): number {
  const at = (slot * claimSlotBytes) / 4
  if (Atomics.load(words, at + claimLeaseOffset / 4) !== (lease | 0)) return -1
  for (;;) {
    const word = Atomics.load(words, at)
    if (word < 0 || !isClaimOf(word, lease)) return -1
    if (Atomics.compareExchange(words, at, word, word | claimStop) === word) {
      return claimStarted(word)
    }
  }
}

/** How many tasks were started after the first `before`. */
export function claimedSince(started: number, before: number): number {
  return (started - before) & countMask
}

/** Were more tasks sent than received? Fewer than half of what can be counted are between. */
export function isAhead(sent: number, received: number): boolean {
  const onTheWay = claimedSince(sent, received)
  return onTheWay > 0 && onTheWay < 2 ** (countBits - 1)
}
