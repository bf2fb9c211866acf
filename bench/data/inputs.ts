// The files that workloads read: generated once, the same on every machine.

import fs from 'node:fs'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

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

const makers: Readonly<Record<string, (folder: string) => Promise<void>>> = { taxi }

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
