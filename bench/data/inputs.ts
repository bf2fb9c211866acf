// The files that workloads read: generated once, the same on every machine.

import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import sharp from 'sharp'

/** 36 files of 10 000 taxi trips each, with the rows that a cleaning step drops. */
async function taxi(folder: string): Promise<void> {
  await inDuckdb(async (run) => {
    for (let month = 0; month < 36; month++) {
      const file = path.join(folder, `trips-${String(month).padStart(2, '0')}.parquet`)
      await run(`COPY (
        SELECT 1 + (i * 7) % 2 AS vendor,
          TIMESTAMP '2018-01-01' + INTERVAL (${month}) MONTH + INTERVAL (i * 257) SECOND AS pickup,
          TIMESTAMP '2018-01-01' + INTERVAL (${month}) MONTH
            + INTERVAL (i * 257 + (i * 7919) % 3600) SECOND AS dropoff,
          ((i * 31) % 7)::DOUBLE AS passengers,
          ((i * 7919) % 2500) / 100.0::DOUBLE AS distance,
          2.5 + ((i * 104729) % 6000) / 100.0::DOUBLE - 1 AS fare,
          ((i * 1299709) % 1500) / 100.0::DOUBLE AS tip
        FROM range(10000) t(i)) TO '${file}' (FORMAT parquet)`)
    }
  })
}

/** 6 M line items and 1.5 M orders, with the columns of TPC-H at scale 1 that are asked for. */
async function tpch(folder: string): Promise<void> {
  const random = (salt: number): string => `((hash(i * 31 + ${salt}) % 1000003) / 1000003.0)`
  await inDuckdb(async (run) => {
    await run(`COPY (
      SELECT 1 + i // 4 AS l_orderkey,
        1 + floor(${random(1)} * 50)::DOUBLE AS l_quantity,
        round(900 + ${random(2)} * 100000, 2)::DOUBLE AS l_extendedprice,
        (floor(${random(3)} * 11) / 100)::DOUBLE AS l_discount,
        (floor(${random(4)} * 9) / 100)::DOUBLE AS l_tax,
        ['A', 'N', 'R'][1 + (hash(i) % 3)::INTEGER] AS l_returnflag,
        ['F', 'O'][1 + (hash(i + 5) % 2)::INTEGER] AS l_linestatus,
        TIMESTAMP '1992-01-01' + to_days(floor(${random(5)} * 2500)::INTEGER) AS l_shipdate
      FROM range(6000000) t(i)) TO '${folder}/lineitem.parquet' (FORMAT parquet)`)
    await run(`COPY (
      SELECT 1 + (i * 7919) % 1500000 AS o_orderkey,
        ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'][
          1 + (hash(i) % 5)::INTEGER] AS o_orderpriority
      FROM range(1500000) t(i)) TO '${folder}/orders.parquet' (FORMAT parquet)`)
  })
}

/** 3 M flights, as the package vega-datasets has them. */
async function flights(folder: string): Promise<void> {
  const datasets = path.dirname(createRequire(import.meta.url).resolve('vega-datasets'))
  const file = path.join(datasets, '../data/flights-3m.parquet')
  fs.copyFileSync(file, path.join(folder, 'flights.parquet'))
}

const photos = 1000

/** Photographs of 500 x 375 pixels: soft shapes with grain, which is what takes time to decode. */
async function images(folder: string): Promise<void> {
  const [width, height] = [500, 375]
  let state = 1
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const pixels = new Uint8ClampedArray(width * height * 3)
  const waves = (count: number, length: number, shift: number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => 128 / 3 + 35 * Math.sin(i / length + shift))
  for (let photo = 0; photo < photos; photo++) {
    const across = waves(width, random() * 50 + 10, random() * 6)
    const down = waves(height, random() * 50 + 10, random() * 6)
    const slanted = waves(width + height, 9, random() * 6)
    for (let i = 0, y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const soft = (across[x] ?? 0) + (down[y] ?? 0) + (slanted[x + y] ?? 0)
        const grain = 24 * (random() - 0.5)
        pixels[i++] = soft + grain
        pixels[i++] = soft - grain
        pixels[i++] = soft + 20
      }
    }
    const file = path.join(folder, `photo-${String(photo).padStart(4, '0')}.jpg`)
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toFile(file)
  }
}

const makers: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  taxi,
  tpch,
  flights,
  images,
}

async function inDuckdb(work: (run: (sql: string) => Promise<void>) => Promise<void>) {
  const connection = await (await DuckDBInstance.create()).connect()
  await work(async (sql) => {
    await connection.run(sql)
  })
  connection.closeSync()
}

/** Makes the files that are not there yet. */
export async function makeInputs(root: string): Promise<void> {
  for (const [name, make] of Object.entries(makers)) {
    const folder = path.join(root, name)
    if (fs.existsSync(folder)) continue
    const unfinished = `${folder}.unfinished`
    fs.rmSync(unfinished, { recursive: true, force: true })
    fs.mkdirSync(unfinished, { recursive: true })
    await make(unfinished)
    fs.renameSync(unfinished, folder)
  }
}
