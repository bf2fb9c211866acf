// Functions of Ray Data that begin a dataset and are not there: they say so, instead of not being
// found when a program is loaded.

import { RayError } from '../base/errors.js'

/** A function that is not built; calling it throws a RayError that says what to do meanwhile. */
export type NotBuilt = () => never

function notBuilt(name: string): NotBuilt {
  return () => {
    throw new RayError(
      `${name} is not built. Meanwhile: readDatasource with an object of your own, ` +
        'readBinaryFiles and a function that decodes them, or Parquet, CSV or JSON that another ' +
        'program writes.',
    )
  }
}

/** @internal */
export const readAudio = notBuilt('readAudio')
/** @internal */
export const readAvro = notBuilt('readAvro')
/** @internal */
export const readBigquery = notBuilt('readBigquery')
/** @internal */
export const readClickhouse = notBuilt('readClickhouse')
/** @internal */
export const readDatabricksTables = notBuilt('readDatabricksTables')
/** @internal */
export const readDelta = notBuilt('readDelta')
/** @internal */
export const readDeltaSharingTables = notBuilt('readDeltaSharingTables')
/** @internal */
export const readHudi = notBuilt('readHudi')
/** @internal */
export const readIceberg = notBuilt('readIceberg')
/** @internal */
export const readKafka = notBuilt('readKafka')
/** @internal */
export const readLance = notBuilt('readLance')
/** @internal */
export const readLerobot = notBuilt('readLerobot')
/** @internal */
export const readMcap = notBuilt('readMcap')
/** @internal */
export const readMongo = notBuilt('readMongo')
/** @internal */
export const readNumpy = notBuilt('readNumpy')
/** @internal */
export const readSnowflake = notBuilt('readSnowflake')
/** @internal */
export const readSql = notBuilt('readSql')
/** @internal */
export const readTfrecords = notBuilt('readTfrecords')
/** @internal */
export const readUnityCatalog = notBuilt('readUnityCatalog')
/** @internal */
export const readVideos = notBuilt('readVideos')
/** @internal */
export const readWebdataset = notBuilt('readWebdataset')
/** @internal */
export const readZarr = notBuilt('readZarr')
