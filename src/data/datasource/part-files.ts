// Names of the files that a dataset is written to. Sorted as text they are in the order of blocks,
// so that reading the folder gives the rows in the order in which they were written.

import { RayError } from '../../base/errors.js'
import type { Block } from '../block/block.js'
import type { FolderSink } from '../logical/write-step.js'
import { extensionOf } from './output-extension.js'

/** Which file of a write. */
export interface PartPlace {
  /** Position of its block. */
  readonly index: number
  /** Position of its rows in the block, where blocks are divided; undefined where not. */
  readonly slice: number | undefined
}

/** The name of the file that a block, or a part of one, is written to. */
export function fileName(name: string, sink: FolderSink, of: PartPlace, block: Block): string {
  const { prefix, format, filenameProvider, writeId } = sink
  const extension = extensionOf(format)
  if (filenameProvider === undefined) {
    const slice = of.slice === undefined ? '' : `-${partName('', of.slice)}`
    return `${partName(prefix, of.index)}${slice}.${extension}`
  }
  const given: unknown = filenameProvider.getFilenameForBlock(block, {
    writeUuid: writeId,
    taskIndex: of.index,
    blockIndex: of.slice ?? 0,
  })
  if (typeof given === 'string' && isReadable(given, sink)) return given
  throw new RayError(
    `${name}: filenameProvider gave ${JSON.stringify(given)}. The name of a file must not begin ` +
      `with "." or "_", must contain no "/", and must end with .${extension}, or nobody finds it.`,
  )
}

/** Ends of names under which readers look for a format, beside its own. */
const otherExtensions = { parquet: [], csv: ['tsv'], json: ['jsonl', 'ndjson'] } as const

/** Whether readers of a folder find a file of this name. */
function isReadable(name: string, { format }: FolderSink): boolean {
  if (/^[._]|\//.test(name)) return false
  const own = extensionOf(format)
  const others = otherExtensions[format.kind].map((each) => own.replace(format.kind, each))
  return [own, ...others].some((extension) => name.endsWith(`.${extension}`))
}

/** The name of part `index`, without what is behind its dot. */
export function partName(prefix: string, index: number): string {
  // A letter sorts behind every digit: the part after 99999 comes after it.
  const number = index < 100_000 ? String(index).padStart(5, '0') : `x${pad(index)}`
  return `${prefix}${number}`
}

export const partPrefix = 'part-'

/** The beginning of the names of parts that are added to those that are there. */
export function appendedPrefix(nowMs: number, writeId: string): string {
  return `${partPrefix}y${pad(nowMs)}-${writeId.slice(0, 6)}-`
}

function pad(value: number): string {
  return String(value).padStart(14, '0')
}

/** Whether a file is one that a write like this one made, and that this one may replace. */
export function isPart(name: string, sink: FolderSink): boolean {
  if (sink.filenameProvider !== undefined) return isReadable(name, sink)
  return /^part-[\dxy]/.test(name) && name.endsWith(`.${extensionOf(sink.format)}`)
}

/** Whether a file is of this very write. */
export function isPartOf(name: string, sink: FolderSink): boolean {
  if (!isPart(name, sink)) return false
  return sink.filenameProvider !== undefined || /^[\dx]/.test(afterPrefix(name, sink))
}

function afterPrefix(name: string, { prefix }: FolderSink): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : ''
}
