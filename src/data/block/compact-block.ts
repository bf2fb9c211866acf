// Strings that repeat become dictionaries, before any JavaScript string is made.

import { type Data, DataType } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfData, columnAt } from './block.js'
import { compactStrings } from './utf8.js'

export function compactBlock(block: Block): Block {
  const { fields } = block.schema
  const columns = fields.map((_, i) => {
    const [data] = columnAt(block, i).data
    if (data === undefined) throw new RayError('A block has a column without data.')
    return compact(data)
  })
  return blockOfData(
    fields.map((field) => field.name),
    columns,
  )
}

function compact(data: Data): Data {
  return DataType.isUtf8(data.type) ? compactStrings(data as Data<typeof data.type>) : data
}
