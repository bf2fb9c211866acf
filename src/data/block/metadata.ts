// What the driver knows of a block without looking at it.

import { hostname } from 'node:os'
import type { ObjectRef } from '../../ray/index.js'
import { type Block, blockBytes, schemaOfBlock, type SchemaField } from './block.js'

export interface BlockMetadata {
  readonly rows: number
  readonly bytes: number
  readonly schema: readonly SchemaField[]
  /** The file that the task wrote, if it was one that writes. */
  readonly file?: string
  readonly pid: number
  readonly host: string
  readonly wallMs: number
}

/** A block in the object store. */
export type BlockRef = ObjectRef<Block>

/** A finished block and its metadata. */
export interface RefBundle {
  readonly block: BlockRef
  readonly metadata: BlockMetadata
}

/** Describes a block that this process made since `startedMs`. */
export function describeBlock(block: Block, startedMs: number): BlockMetadata {
  return {
    rows: block.numRows,
    bytes: blockBytes(block),
    schema: schemaOfBlock(block),
    pid: process.pid,
    host: hostname(),
    wallMs: performance.now() - startedMs,
  }
}
