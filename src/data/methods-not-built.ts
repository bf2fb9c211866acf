// Methods of Ray's datasets that are not built: they say so, instead of not being functions.

import { RayError } from '../base/errors.js'

const names = [
  'iterJaxBatches',
  'iterTfBatches',
  'iterTorchBatches',
  'mix',
  'serializeLineage',
  'toDaft',
  'toDask',
  'toNumpyRefs',
  'toPandas',
  'toPandasRefs',
  'toRandomAccessDataset',
  'toSpark',
  'toTf',
  'toTorch',
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
  'writeWebdataset',
]

/** Gives a prototype a method for each of the names that it has none for. */
export function refuseMethodsNotBuilt(prototype: object): void {
  for (const name of names) {
    if (name in prototype) continue
    const value = (): never => {
      throw new RayError(
        `Dataset.${name} is not built. Meanwhile: writeParquet, writeCsv, writeJson, ` +
          'writeDatasink, or plain JavaScript over iterBatches() and toColumns().',
      )
    }
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}
