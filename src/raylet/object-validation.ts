import { assert } from '../base/assert.js'
import type { ProcessId } from '../base/ids.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ObjectEntry } from './object-entry.js'

/** What the table knows beside its entries. */
export interface ObjectFacts {
  readonly find: (key: ObjectKey) => ObjectEntry | undefined
  readonly isForeign: (key: ObjectKey) => boolean
  readonly isGone: (holder: ProcessId) => boolean
}

/** Checks the invariants of the table. */
export function validateObjects(
  entries: readonly ObjectEntry[],
  { find, isForeign, isGone }: ObjectFacts,
): void {
  const contained = new Map<ObjectEntry, number>()
  for (const key of entries.flatMap((entry) => entry.contains)) {
    if (isForeign(key)) continue
    const inner = find(key)
    assert(inner !== undefined, 'what a live value contains is known')
    contained.set(inner, (contained.get(inner) ?? 0) + 1)
  }
  for (const entry of entries) {
    assert(entry.contained === (contained.get(entry) ?? 0), 'contained counts add up')
    for (const holder of entry.holders()) assert(!isGone(holder), 'the dead hold nothing')
    const isThere = entry.copies?.primary !== undefined
    assert(isThere === entry.isStored, 'what is stored has a copy somewhere')
    if (entry.isSettled && entry.isKnown) assert(!entry.isUnheld, 'a settled object is held')
  }
}
