// Reads a CSV file, filters rows, computes with batches, iterates over them and writes Parquet.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readCsv, readParquet } from 'typeray/data'

interface Iris {
  'sepal length (cm)': number
  'petal length (cm)': number
  target: number
}

const folder = mkdtempSync(path.join(tmpdir(), 'typeray-iris-'))
const lines = Array.from({ length: 60 }, (_, i) => {
  const target = i % 3
  const sepal = 4.5 + target * 0.6 + (i % 10) / 10
  const petal = 1.4 + target * 1.7 + (i % 7) / 10
  return `${sepal.toFixed(1)},${petal.toFixed(1)},${target}`
})
const file = path.join(folder, 'iris.csv')
writeFileSync(file, `sepal length (cm),petal length (cm),target\n${lines.join('\n')}\n`)

// Nothing is read yet: a dataset is a plan.
const iris = readCsv<Iris>(file)
const wanted = iris.filter(
  (row) => row['sepal length (cm)'] < 5.5 && row['petal length (cm)'] > 3.0,
)
await wanted.show(3)
console.log(`${await wanted.count()} of ${await iris.count()} rows`)

const areas = iris.mapBatches((batch) => {
  const petal = batch['petal length (cm)']
  const sepal = batch['sepal length (cm)']
  return { area: Float64Array.from(petal, (length, i) => length * (sepal[i] ?? 0)) }
})
let batches = 0
for await (const { area } of areas.iterBatches({ batchSize: 8 })) {
  if (batches++ === 0) console.log(`the first of the batches has ${area.length} rows`)
}
console.log(`${batches} batches`)

const files = await wanted.writeParquet(path.join(folder, 'out'))
console.log(`${files.length} file, ${await readParquet(path.join(folder, 'out')).count()} rows`)
rmSync(folder, { recursive: true })
