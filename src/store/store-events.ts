// What the object store's state machine is told, and what it wants done. See store-state.ts.
//
// `copy` numbers one reserved place from its grant to its end; an object that is freed and made
// again is a new copy under the same key. `request` is the caller's and comes back unchanged.

/** A process of this node that uses the store. */
export type ClientId = number | string
/** The caller's name for an object; the store never looks inside. */
export type ObjectKey = number | string
export type CopyId = number
/** The arena is file 0; spill files are numbered from 1 and never twice. */
export type FileId = number

export const arenaFile: FileId = 0

export interface Place {
  readonly file: FileId
  readonly offset: number
  readonly sizeBytes: number
  readonly warmBytes: number
}

interface Request {
  readonly client: ClientId
  readonly request: number
}

/** Why files could not be written; `freeBytes` is what the disk had left, where that is known. */
export interface FileFailure {
  readonly file: FileId
  /** Name of the errno, such as ENOSPC. */
  readonly code: string
  readonly freeBytes?: number
}

export type StoreEvent =
  /** Answered, at once or after a bounded wait, by one `grant` or `refuse`. */
  | (Request & { readonly kind: 'allocate'; readonly sizeBytes: number })
  /**
   * The bytes are written: the copy becomes the object. `isSecondary` says that another node has
   * the primary copy, so this one may be evicted instead of spilled.
   */
  | {
      readonly kind: 'seal'
      readonly client: ClientId
      readonly copy: CopyId
      readonly object: ObjectKey
      readonly isSecondary?: boolean
    }
  /** No other node has the primary copy any more: this one must not be evicted. */
  | { readonly kind: 'makePrimary'; readonly object: ObjectKey }
  /** The writer gives its place back. */
  | { readonly kind: 'abort'; readonly client: ClientId; readonly copy: CopyId }
  /** Answered at once by one `pinned` or `missing`. Pins of one client count. */
  | (Request & { readonly kind: 'pin'; readonly object: ObjectKey })
  | { readonly kind: 'unpin'; readonly client: ClientId; readonly copy: CopyId }
  /** The last ref is gone. Unknown objects are ignored. */
  | { readonly kind: 'free'; readonly object: ObjectKey }
  | { readonly kind: 'clientDied'; readonly client: ClientId }
  | { readonly kind: 'spillDone'; readonly file: FileId }
  | ({ readonly kind: 'spillFailed' } & FileFailure)
  | { readonly kind: 'fileOpened'; readonly file: FileId }
  | ({ readonly kind: 'fileFailed' } & FileFailure)
  /** Time passed; wanted at `nextTickAt()`. */
  | { readonly kind: 'tick' }

export interface SpillItem {
  readonly copy: CopyId
  /** Offset in the arena. */
  readonly from: number
  /** Offset in the file. */
  readonly to: number
  readonly sizeBytes: number
}

export type StoreEffect =
  | (Request & { readonly kind: 'grant'; readonly copy: CopyId; readonly place: Place })
  | (Request & {
      readonly kind: 'refuse'
      readonly code: 'RAY_OBJECT_STORE_FULL' | 'RAY_OUT_OF_DISK'
      readonly message: string
      readonly fields: Readonly<Record<string, number | string>>
    })
  | (Request & {
      readonly kind: 'pinned'
      readonly object: ObjectKey
      readonly copy: CopyId
      readonly place: Place
    })
  | (Request & { readonly kind: 'missing'; readonly object: ObjectKey })
  /** A secondary copy made room; its directory entry must go. */
  | { readonly kind: 'evicted'; readonly object: ObjectKey }
  /** Copy `items` into a new file; answered by `spillDone` or `spillFailed`. */
  | { readonly kind: 'startSpill'; readonly file: FileId; readonly items: readonly SpillItem[] }
  /** Open a new file for one object; answered by `fileOpened` or `fileFailed`. */
  | { readonly kind: 'openFile'; readonly file: FileId; readonly sizeBytes: number }
  | { readonly kind: 'closeFile'; readonly file: FileId }
  /** Ask these processes to collect garbage: their views and refs may be dead already. */
  | { readonly kind: 'askCollect'; readonly clients: readonly ClientId[] }
