// The copy of Apache Arrow that makes and reads blocks, which is part of the bundle of datasets.
// Programs have another copy, or two, which take tables of this one once they have been taught to.

import { DataType, RecordBatchReader, RecordBatchStreamWriter, Table } from 'apache-arrow'
import { meetProgramArrow, useBlockArrow } from '../../ray/index.js'

/** What it takes to write blocks as streams, and to read them. */
export const arrowOfBlocks = { DataType, RecordBatchReader, RecordBatchStreamWriter, Table }

let isShared = false

/** Tells the core which copy of Arrow blocks are of. */
export function shareArrow(): void {
  if (isShared) return
  isShared = true
  useBlockArrow(arrowOfBlocks)
}

/** To be awaited before the user is given a block as an Arrow table. */
export async function meetUsersArrow(): Promise<void> {
  await meetProgramArrow()
}

/** What the core (`wire/arrow-values.ts`) writes as a block has it. */
const blockMark = Symbol.for('typeray.block')

/**
 * Makes a table a block on its way to the object store: datasets read it with their copy. Any other
 * table is read with the program's.
 */
export function asBlock(table: Table): Table {
  return Object.defineProperty(table, blockMark, { value: true })
}

/** Runs as a task: a block that was read and is written again is a table like any other. */
export function asTable(block: Table): Table {
  return block
}
