// Apache's files that every reader of Parquet should read, or refuse and say why.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readFooters } from '../../src/data/datasource/parquet-footer.js'
import { query, quoteText } from '../../src/data/engine/engine.js'
import { readCsv, readParquet } from '../../src/data/index.js'
import { blocksOf, rowsOf, testData } from './read-in-process.js'

const { folder = '', skip } = testData('parquet-testing')

/** A column of two gigabytes out of four kilobytes: it tests the memory of the machine. */
const huge = 'large_string_map.brotli.parquet'

/** What the engine cannot read, and what it says of it. */
const refused: Readonly<Record<string, RegExp>> = {
  'byte_stream_split_extended.gzip.parquet': /BYTE_STREAM_SPLIT encoding is only supported for/,
  'hadoop_lz4_compressed.parquet': /Unsupported compression codec "LZ4"/,
  'hadoop_lz4_compressed_larger.parquet': /Unsupported compression codec "LZ4"/,
  'non_hadoop_lz4_compressed.parquet': /Unsupported compression codec "LZ4"/,
  'map_no_value.parquet': /MAP_KEY_VALUE requires two children/,
}

test('every file is read, or refused with its name and a reason', { skip }, async () => {
  const names = fs.readdirSync(folder).filter((name) => {
    return name.endsWith('.parquet') && name !== huge
  })
  assert.ok(names.length > 50)
  for (const name of names) {
    const reading = blocksOf(readParquet(path.join(folder, name)))
    const reason = refused[name]
    if (reason === undefined) await reading
    else {
      await assert.rejects(reading, (error: Error) => {
        return reason.test(error.message) && error.message.includes(name)
      })
    }
  }
})

test('what is read of a footer without the engine is what the engine finds', { skip }, () => {
  let read = 0
  for (const name of fs.readdirSync(folder).filter((each) => each.endsWith('.parquet'))) {
    const file = path.join(folder, name)
    const [footer] = readFooters([file]) ?? []
    if (footer === undefined || name === 'map_no_value.parquet') continue
    const groups = query(
      `SELECT row_group_id::INTEGER AS id, any_value(row_group_num_rows)::DOUBLE AS rows
       FROM parquet_metadata(${quoteText(file)}) GROUP BY id ORDER BY id`,
    )
    const expected = [...groups].map(({ rows }) => Number(rows))
    const found = footer.groups.map(({ rows }) => rows)
    assert.deepEqual(found, expected, name)
    read++
  }
  assert.ok(read > 50)
})

test('values are those of the published answers', { skip }, async () => {
  for (const name of ['delta_byte_array', 'delta_encoding_required_column']) {
    const found = await rowsOf(readParquet(path.join(folder, `${name}.parquet`)))
    const answers = path.join(folder, `${name}_expect.csv`)
    const expected = await rowsOf(readCsv(answers, { inferTypes: false }))
    const asText = found.map((row) => Object.values(row).map((value) => String(value ?? '')))
    assert.deepEqual(
      asText,
      expected.map((row) => Object.values(row).map((value) => String(value ?? ''))),
      name,
    )
  }
})
