// What the driver knows of a block without looking at it.

import { hostname } from 'node:os'
import type { ObjectRef } from '../../ray/index.js'
import { type Block, blockBytes, schemaOfBlock, type SchemaField } from './block.js'

/** The sort keys of a row. */
export interface KeySample {
  /** All of them as bytes that sort as they do. */
  readonly key: Uint8Array
  /**
   * The same with numbers as doubles and times as microseconds, where that is something else: what
   * keys of blocks whose types differ are compared by.
   */
  readonly wide?: Uint8Array
  /** The first one as a number; null where it has no value or is no number. */
  readonly first: number | null
}

/** Where a block was made, and how large it is. */
export interface BlockMetadata {
  /** Number of rows. */
  readonly rows: number
  /** Size of its columns in bytes. */
  readonly bytes: number
  /** Names and Arrow types of its columns. */
  readonly schema: readonly SchemaField[]
  /** Of a task that writes: the paths of its files, or what a sink of the user gave. */
  readonly written?: unknown
  /** Sort keys of some of its rows, where they were asked for. */
  readonly sample?: readonly KeySample[]
  /** Of a block that was cut into parts: the rows of each. */
  readonly partRows?: readonly number[]
  /** What a function that was asked found in it. */
  readonly report?: unknown
  /** Process that made it. */
  readonly pid: number
  /** Machine that made it. */
  readonly host: string
  /** Time that making it took, in milliseconds. */
  readonly wallMs: number
}

/** A block in the object store. */
export type BlockRef = ObjectRef<Block>

/** A finished block and its metadata. */
export interface RefBundle {
  /** The rows, as an apache-arrow table. */
  readonly block: BlockRef
  /** What is known of them without looking. */
  readonly metadata: BlockMetadata
}

/** Asked of the system once: a task of one row would spend a tenth of its time on it. */
const host = hostname()

/** Describes a block that this process made since `startedMs`. */
export function describeBlock(block: Block, startedMs: number): BlockMetadata {
  return {
    rows: block.numRows,
    bytes: blockBytes(block),
    schema: schemaOfBlock(block),
    pid: process.pid,
    host,
    wallMs: performance.now() - startedMs,
  }
}

/** Describes rows that this process wrote to files since `startedMs`, without a block of them. */
export function describeWritten(
  { rows, written }: { readonly rows: number; readonly written: unknown },
  startedMs: number,
): BlockMetadata {
  const wallMs = performance.now() - startedMs
  return { rows, bytes: 0, schema: [], written, pid: process.pid, host, wallMs }
}
