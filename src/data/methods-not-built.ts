// Methods of Ray's datasets that are not there: they say so, instead of not being functions.

import { RayError } from '../base/errors.js'

/** What may be built. */
const later = [
  'mix',
  'writeBigquery',
  'writeClickhouse',
  'writeDelta',
  'writeIceberg',
  'writeImages',
  'writeKafka',
  'writeLance',
  'writeMongo',
  'writeNumpy',
  'writeSnowflake',
  'writeSql',
  'writeTfrecords',
  'writeTurbopuffer',
  'writeWebdataset',
]

const typedArrays = 'iterBatches() gives typed arrays, which libraries for tensors take'
const ofPython = 'the library is of Python; write Parquet for it'

/** What is of Python, and what to do instead. */
const never: Readonly<Record<string, string>> = {
  iterJaxBatches: typedArrays,
  iterTfBatches: typedArrays,
  iterTorchBatches: typedArrays,
  serializeLineage: 'a plan holds functions; read the files again',
  toDaft: ofPython,
  toDask: ofPython,
  toMars: ofPython,
  toModin: ofPython,
  toNumpyRefs: 'toArrowRefs() gives refs of blocks, and toColumns() typed arrays',
  toPandas: 'toColumns() gives typed arrays by name, and toArrow() a table',
  toPandasRefs: 'toArrowRefs() gives refs of blocks',
  toRandomAccessDataset: 'an actor that holds what toColumns() gives does the same',
  toSpark: ofPython,
  toTf: typedArrays,
  toTorch: typedArrays,
}

/** Names that are refused, and why; undefined for what may be built. */
export const methodsNotBuilt: ReadonlyMap<string, string | undefined> = new Map([
  ...later.map((name) => [name, undefined] as const),
  ...Object.entries(never),
])

/** Gives a prototype a method for each of the names that it has none for. */
export function refuseMethodsNotBuilt(prototype: object): void {
  for (const [name, reason] of methodsNotBuilt) {
    if (name in prototype) continue
    const value = (): never => {
      throw new RayError(
        reason === undefined
          ? `Dataset.${name} is not built. Meanwhile: writeParquet, writeCsv, writeJson, ` +
              'writeDatasink, or plain JavaScript over iterBatches() and toColumns().'
          : `There is no Dataset.${name}: ${reason}.`,
      )
    }
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}
