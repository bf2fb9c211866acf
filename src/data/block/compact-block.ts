// Strings that repeat become dictionaries, before any JavaScript string is made.

import { type Data, DataType } from 'apache-arrow'
import { type Block, blockOfData } from './block.js'
import { dataOfBlock } from './gather.js'
import { compactStrings } from './utf8.js'

export function compactBlock(block: Block): Block {
  const { fields } = block.schema
  return blockOfData(
    fields.map((field) => field.name),
    dataOfBlock(block).map(compact),
    block.numRows,
  )
}

function compact(data: Data): Data {
  return DataType.isUtf8(data.type) ? compactStrings(data as Data<typeof data.type>) : data
}
