// Reads a CSV file, filters rows, computes with batches, iterates over them and writes Parquet.
//
//   node dist/examples/iris.js [FILE]

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Columns, readCsv, readParquet } from 'typeray/data'
import { type Iris, sampleIris } from './samples/iris.js'

// Nothing is read yet: a dataset is a plan.
const iris = readCsv<Iris>(process.argv[2] ?? sampleIris())
const wanted = iris.filter(
  (row) => row['sepal length (cm)'] < 5.5 && row['petal length (cm)'] > 3.5,
)
await wanted.show(3)
console.log(`${await wanted.count()} of ${await iris.count()} rows`)

/** Adds the area of the petals. */
function transformBatch(batch: Columns<Iris>) {
  const width = batch['petal width (cm)']
  const area = Float64Array.from(
    batch['petal length (cm)'],
    (length, i) => length * (width[i] ?? 0),
  )
  return { ...batch, 'petal area (cm^2)': area }
}

const transformed = iris.mapBatches(transformBatch)
let [batches, total] = [0, 0]
for await (const batch of transformed.iterBatches({ batchSize: 8 })) {
  const areas = batch['petal area (cm^2)']
  if (batches++ === 0) console.log(`the first of the batches has ${areas.length} rows`)
  for (const area of areas) total += area
}
console.log(`${batches} batches, petals of ${total.toFixed(2)} cm^2`)

const folder = mkdtempSync(path.join(tmpdir(), 'typeray-iris-'))
await transformed.writeParquet(folder)
const back = readParquet<Iris>(folder)
console.log(`written: ${await back.count()} rows of ${(await back.columns()).length} columns`)
rmSync(folder, { recursive: true })
