// A placement group as a row of storage, and back.
//
// An attempt that was under way goes on: whoever loads it asks the same nodes again, and they know
// what they hold already.

import type { Bundle, GroupRecord } from './placement-group-record.js'

type Kept =
  | 'group'
  | 'order'
  | 'name'
  | 'nameKey'
  | 'namespace'
  | 'strategy'
  | 'detached'
  | 'jobId'
  | 'owner'
  | 'driver'
  | 'specs'
  | 'state'
  | 'message'
  | 'error'
  | 'attempt'

export type StoredGroup = Readonly<Pick<GroupRecord, Kept>> & {
  readonly bundles: readonly Readonly<Bundle>[]
  readonly isTrying: boolean
}

export function storedGroup(record: GroupRecord | undefined): StoredGroup | undefined {
  if (record === undefined) return undefined
  const { waitingFor, subscribers: _subscribers, watchers: _watchers, ...kept } = record
  return { ...kept, isTrying: waitingFor.size > 0 }
}

export function groupOf({ isTrying, ...kept }: StoredGroup): GroupRecord {
  const bundles = kept.bundles.map((bundle) => ({ ...bundle }))
  const asked = bundles.flatMap(({ nodeId, isHeld }) =>
    isTrying && !isHeld && nodeId !== undefined ? [nodeId] : [],
  )
  return {
    ...kept,
    bundles,
    waitingFor: new Set(asked),
    subscribers: new Map(),
    watchers: new Set(),
  }
}
