// Blocks of this process, put where tasks and other processes can read them.

import * as ray from '../ray/index.js'
import { asBlock } from './block/arrow-library.js'
import type { Block } from './block/block.js'
import { type BlockRef, describeBlock, type RefBundle } from './block/metadata.js'

/** A block in the object store, which this process owns; it took from `startedMs` to make. */
export function storeBlock(block: Block, startedMs = performance.now()): RefBundle {
  return { block: ray.put(asBlock(block)) as BlockRef, metadata: describeBlock(block, startedMs) }
}
