// What rows are sorted by.

import type { ExpressionNode } from '../expression/node.js'
import { sqlOfNode } from '../expression/sql.js'

export interface SortKey {
  readonly value: ExpressionNode
  readonly isDescending: boolean
  readonly nulls: 'first' | 'last'
}

/** The key in an ORDER BY. */
export function orderSql({ value, isDescending, nulls }: SortKey): string {
  return `${sqlOfNode(value)} ${directionSql(isDescending, nulls)}`
}

/** The keys as one string of bytes that sorts as they do. */
export function sortKeySql(keys: readonly SortKey[], valueSql = plainSql): string {
  const parts = keys.map((key) => {
    const { isDescending, nulls } = key
    return `${valueSql(key)}, '${directionSql(isDescending, nulls)}'`
  })
  // Keys of few bytes would come as an integer but for the string.
  return `create_sort_key(${parts.join(', ')}, '', 'ASC NULLS LAST')`
}

const plainSql = ({ value }: SortKey): string => sqlOfNode(value)

function directionSql(isDescending: boolean, nulls: 'first' | 'last'): string {
  return `${isDescending ? 'DESC' : 'ASC'} NULLS ${nulls === 'first' ? 'FIRST' : 'LAST'}`
}
