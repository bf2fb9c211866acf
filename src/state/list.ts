// Asks the session of this program, or one named by its address, for rows.

import { stateRowsMax } from '../base/limits.js'
import { stateColumns } from '../base/state-columns.js'
import { observe } from '../node/observer.js'
import { sessionToObserve } from '../node/session-address.js'
import { isInitialized } from '../ray/index.js'
import { requireSession } from '../ray/session.js'
import type { StateAnswer, StateQuery } from '../wire/messages/state.js'
import type { StateRows } from './rows.js'

/** `['state', '=', 'ALIVE']`: a column, `=` or `!=`, and what it is compared with as text. */
export type Filter = readonly [key: string, predicate: '=' | '!=', value: string | number | boolean]

/** How to ask. */
export interface ListOptions {
  /**
   * The session to ask, as in `ray.init`. By default that of this program; when it has none, the
   * one that `typeray status` would ask.
   */
  readonly address?: string
  /** Rows must pass all of them. */
  readonly filters?: readonly Filter[]
  /** Rows to return, at most: 100 by default, 10 000 at most. */
  readonly limit?: number
  /** All columns; some are left out otherwise. */
  readonly detail?: boolean
  /** In milliseconds: 30 000 by default. */
  readonly timeoutMs?: number
}

/** Rows, and what there was beside them. */
export interface StateList<Row> {
  /** All that there are, before the filters. */
  readonly total: number
  /** Those that passed the filters. */
  readonly numFiltered: number
  /** As many of those as the limit allows. */
  readonly rows: Row[]
  /** What is missing, in sentences; empty when nothing is. */
  readonly warnings: string[]
}

const known = new Set(['address', 'filters', 'limit', 'detail', 'timeoutMs'])
const limitDefault = 100
const timeoutMsDefault = 30_000

/**
 * Rows of one kind with the counts and warnings that the other functions leave out.
 *
 * @example
 * const { rows, warnings } = await state.list('tasks', { limit: 10 })
 *
 * @throws TypeError for an option or column that does not exist, RangeError for a limit that is too
 * large, SessionError when there is no session.
 */
export function list<R extends keyof StateRows>(
  resource: R,
  options: ListOptions = {},
): Promise<StateList<StateRows[R]>> {
  const { limit = limitDefault } = options
  if (!Number.isInteger(limit) || limit < 0 || limit > stateRowsMax) {
    throw new RangeError(
      `The option 'limit' must be a whole number up to ${stateRowsMax}, not ${String(limit)}.`,
    )
  }
  return listAll(resource, { ...options, limit })
}

/** Without a bound on the limit, for sums over all. */
export async function listAll<R extends keyof StateRows>(
  resource: R,
  options: ListOptions,
): Promise<StateList<StateRows[R]>> {
  const answer = await ask(stateQuery(resource, options), options)
  return answer as unknown as StateList<StateRows[R]>
}

function stateQuery(resource: keyof StateRows, options: ListOptions): StateQuery {
  for (const key of Object.keys(options)) {
    if (!known.has(key)) {
      throw new TypeError(
        `'${key}' is not an option of lists. Options are: ${[...known].join(', ')}.`,
      )
    }
  }
  const columns = stateColumns[resource]
  const names: readonly string[] = [...columns.usual, ...columns.detail]
  const filters = (options.filters ?? []).map(([key, predicate, value]) => {
    if (!names.includes(key)) {
      throw new TypeError(`'${key}' is not a column of ${resource}: ${names.join(', ')}.`)
    }
    if (predicate !== '=' && predicate !== '!=') {
      throw new TypeError(`A filter compares by '=' or '!=', not by '${String(predicate)}'.`)
    }
    return { key, predicate, value: String(value) }
  })
  const { limit = limitDefault, detail = false } = options
  return { what: 'state', resource, filters, limit, detail }
}

async function ask(query: StateQuery, options: ListOptions): Promise<StateAnswer> {
  const { address, timeoutMs = timeoutMsDefault } = options
  if (address === undefined && isInitialized()) {
    return (await requireSession().query(query)) as StateAnswer
  }
  const observer = await observe(sessionToObserve(address), timeoutMs)
  try {
    return (await observer.query(query)) as StateAnswer
  } finally {
    observer.close()
  }
}
