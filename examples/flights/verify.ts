// Checks the job against a computation that shares nothing with it but the input: one pass of SQL
// by DuckDB.

import assert from 'node:assert/strict'
import type { DelayReport } from './delays.js'

export interface Verification {
  readonly input: string
  readonly rows: number
  readonly out: string
  readonly report: DelayReport
}

export async function verify({ input, rows, out, report }: Verification): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const select = async (sql: string) => (await connection.runAndReadAll(sql)).getRows()
  const quoted = (path: string): string => `'${path.replaceAll("'", "''")}'`
  const limit = Number.isFinite(rows) ? `LIMIT ${rows}` : ''
  const flights = `(SELECT * FROM (SELECT * FROM ${quoted(input)} ${limit})
    WHERE delay BETWEEN -120 AND 1440 AND distance > 0
      AND date IS NOT NULL AND origin IS NOT NULL AND destination IS NOT NULL)`
  const expected = async (key: string) => {
    const groups = await select(
      `SELECT ${key}::VARCHAR, count(*)::DOUBLE, avg(delay) FROM ${flights} GROUP BY 1`,
    )
    return new Map(
      groups.map(([name, count, mean]) => [String(name), [Number(count), Number(mean)]]),
    )
  }
  for (const [found, key] of [
    [report.origins, 'origin'],
    [report.hours, 'hour(date)'],
  ] as const) {
    const groups = await expected(key)
    assert.equal(found.length, groups.size, `${key}: ${groups.size} groups`)
    for (const { key: name, flights: count, meanMinutes } of found) {
      const [countExpected = 0, meanExpected = 0] = groups.get(name) ?? []
      assert.equal(count, countExpected, `flights of ${name}`)
      assert.ok(Math.abs(meanMinutes - meanExpected) < 1e-9, `mean delay of ${name}`)
    }
  }
  const fingerprint = `count(*), sum(delay)::DOUBLE, sum(epoch(date))::DOUBLE,
    sum(hour(date))::DOUBLE, sum(dayofweek(date))::DOUBLE, 
    count(DISTINCT origin || '-' || destination)`
  const written = `count(*), sum(delay)::DOUBLE, sum(epoch(date))::DOUBLE, sum(hour)::DOUBLE,
    sum(weekday)::DOUBLE, count(DISTINCT route)`
  assert.deepEqual(
    await select(`SELECT ${written} FROM ${quoted(`${out}/*.parquet`)}`),
    await select(`SELECT ${fingerprint} FROM ${flights}`),
    'the written files',
  )
}
