// Typeray's side of the workloads that the engine does alone: expressions, groups, sorts, joins.

import fs from 'node:fs'
import path from 'node:path'
import { col, Count, type Dataset, lit, Max, Mean, readParquet, Sum } from 'typeray/data'
import type { Run } from './workload.js'

const taxi: Run = async (folder) => {
  const out = path.join(folder, 'taxi-out')
  fs.rmSync(out, { recursive: true, force: true })
  const plausible = col('fare').gte(2.5).and(col('passengers').gt(0)).and(col('distance').gt(0))
  await readParquet(path.join(folder, 'taxi'))
    .filter(plausible.and(col('dropoff').gt(col('pickup'))))
    .withColumn('minutes', col('dropoff').dt.diffMs(col('pickup')).div(60_000))
    .select({
      minutes: col('minutes'),
      speed: col('distance').div(col('minutes')).mul(60),
      tipShare: col('tip').div(col('fare')),
      fare: col('fare'),
      distance: col('distance'),
    })
    .writeParquet(out)
  return readParquet(out).count()
}

const flights = (folder: string): Dataset => readParquet(path.join(folder, 'flights'))
const lineitem = (folder: string): Dataset => readParquet(`${folder}/tpch/lineitem.parquet`)
const orders = (folder: string): Dataset => readParquet(`${folder}/tpch/orders.parquet`)

const group: Run = async (folder) => {
  const groups = await flights(folder)
    .filter(col('delay').gt(60))
    .groupBy('origin')
    .aggregate(Count(), Mean('delay'), Max('distance'))
    .takeAll()
  return groups.reduce((sum, row) => sum + row['count()'], 0)
}

const sortAndWrite: Run = async (folder) => {
  const out = path.join(folder, 'sorted-out')
  fs.rmSync(out, { recursive: true, force: true })
  await flights(folder).sort(['distance', 'date']).writeParquet(out)
  return readParquet(out).count()
}

const shuffle: Run = async (folder) => {
  let rows = 0
  const shuffled = flights(folder).randomShuffle({ seed: 1 })
  for await (const table of shuffled.iterBatches({ batchSize: 4096, batchFormat: 'arrow' })) {
    rows += table.numRows
  }
  return rows
}

const q1: Run = async (folder) => {
  const price = col('l_extendedprice').mul(lit(1).sub(col('l_discount')))
  const rows = await lineitem(folder)
    .filter(col('l_shipdate').lte(new Date('1998-09-02')))
    .groupBy(['l_returnflag', 'l_linestatus'])
    .aggregate(
      Sum('l_quantity'),
      Sum('l_extendedprice'),
      Sum(price, { alias: 'price' }),
      Sum(price.mul(lit(1).add(col('l_tax'))), { alias: 'charge' }),
      Mean('l_quantity'),
      Mean('l_extendedprice'),
      Mean('l_discount'),
      Count(),
    )
    .takeAll()
  return rows.reduce((sum, row) => sum + row['count()'], 0)
}

const q6: Run = async (folder) => {
  const date = col('l_shipdate')
  const { revenue } = await lineitem(folder)
    .filter(date.gte(new Date('1994-01-01')).and(date.lt(new Date('1995-01-01'))))
    .filter(col('l_discount').between(0.045, 0.075).and(col('l_quantity').lt(24)))
    .aggregate(Sum(col('l_extendedprice').mul(col('l_discount')), { alias: 'revenue' }))
  return Math.round(Number(revenue))
}

const joinAndGroup: Run = async (folder) => {
  const groups = await lineitem(folder)
    .join(orders(folder), { on: 'l_orderkey', rightOn: 'o_orderkey' })
    .groupBy('o_orderpriority')
    .aggregate(Count(), Sum('l_extendedprice'))
    .takeAll()
  return groups.reduce((sum, row) => sum + Number(row['count()']), 0)
}

export const relationalRuns: Readonly<Record<string, Run>> = {
  'taxi, expressions': taxi,
  'flights, group': group,
  'flights, sort and write': sortAndWrite,
  'flights, shuffle': shuffle,
  'TPC-H Q1': q1,
  'TPC-H Q6': q6,
  'join and group': joinAndGroup,
}
