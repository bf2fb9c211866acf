// Reads the files of a dataset in this process, as its tasks would, and files to read.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import type { Block } from '../../src/data/block/block.js'
import { type Row, rowsOfBlock } from '../../src/data/block/rows.js'
import type { Dataset } from '../../src/data/dataset.js'
import { describeFiles, readFiles } from '../../src/data/datasource/file-readers.js'
import {
  type FilesDescription,
  type FilesSource,
  groupPieces,
} from '../../src/data/datasource/files.js'

/** The files that a dataset begins in. */
export function filesOf<R>(dataset: Dataset<R>): FilesSource {
  const { source } = dataset.plan
  if (source.kind !== 'files') throw new Error(`a dataset over ${source.kind}`)
  return source
}

export function describe<R>(dataset: Dataset<R>): Promise<FilesDescription> {
  return describeFiles(filesOf(dataset))
}

/** The blocks of a dataset, of about `blockBytes` each. */
export async function blocksOf<R>(dataset: Dataset<R>, blockBytes = 1e9): Promise<Block[]> {
  const source = filesOf(dataset)
  const { files, columns, isSampled = false } = await describeFiles(source)
  const blocks: Block[] = []
  for (const pieces of groupPieces(files, blockBytes)) {
    blocks.push(await readFiles({ source, pieces, columns, isSampled }))
  }
  return blocks
}

export async function rowsOf<R>(dataset: Dataset<R>, blockBytes?: number): Promise<Row[]> {
  return (await blocksOf(dataset, blockBytes)).flatMap((block) => rowsOfBlock(block))
}

/** Names and types of the columns of a dataset, as text. */
export async function schemaOf<R>(dataset: Dataset<R>): Promise<readonly string[]> {
  return (await describe(dataset)).schema.map(({ name, type }) => `${name} ${type}`)
}

/** A folder that is removed when the tests of the file have run. */
export function temporaryFolder(name: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `typeray-${name}-`))
  after(() => fs.rmSync(folder, { recursive: true }))
  return folder
}

/** Writes files below a folder; gives the folder. */
export function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): string {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, content)
  }
  return folder
}

/**
 * Where sets of test files lie that are not part of this repository; undefined where this one is
 * absent, and the reason for skipping.
 */
export function testData(name: string): { readonly folder?: string; readonly skip?: string } {
  const root = process.env.TYPERAY_TEST_DATA ?? path.resolve('../shared/data')
  const folder = path.join(root, name)
  if (fs.existsSync(folder)) return { folder }
  return { skip: `${name} is not in ${root}; TYPERAY_TEST_DATA names the folder` }
}
