// Flowers in the columns of the iris table: for programs that are given no file.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface Iris {
  'sepal length (cm)': number
  'sepal width (cm)': number
  'petal length (cm)': number
  'petal width (cm)': number
  target: bigint
}

const header = 'sepal length (cm),sepal width (cm),petal length (cm),petal width (cm),target'

/** Writes the file, which goes with the program, and gives its path. */
export function sampleIris(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'typeray-iris-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'iris.csv')
  const lines = Array.from({ length: 60 }, (_, i) => {
    const target = i % 3
    const sepal = [4.5 + target * 0.6 + (i % 10) / 10, 2.5 + (i % 9) / 10]
    const petal = [1.4 + target * 1.7 + (i % 7) / 10, 0.2 + target * 0.8]
    return [...sepal, ...petal, target].map((x) => Number(x.toFixed(1))).join(',')
  })
  writeFileSync(file, `${header}\n${lines.join('\n')}\n`)
  return file
}
