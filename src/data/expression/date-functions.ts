// Functions of dates and timestamps in expressions.

import type { CallOf, Expression, Operand } from './expression.js'

/** Something that dates are rounded to. */
export type DateUnit =
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'quarter'
  | 'year'

/**
 * Functions of dates and timestamps: `col('at').dt`.
 *
 * @example
 * const hours = readParquet('trips.parquet').withColumn('hour', col('at').dt.hour())
 */
export class DateFunctions {
  readonly #call: CallOf

  /** @internal Use the property of an expression. */
  constructor(call: CallOf) {
    this.#call = call
  }

  /** The year. */
  year(): Expression<number> {
    return this.#call('dt.year', [])
  }

  /** The quarter, 1 to 4. */
  quarter(): Expression<number> {
    return this.#call('dt.quarter', [])
  }

  /** The month, 1 to 12. */
  month(): Expression<number> {
    return this.#call('dt.month', [])
  }

  /** The ISO week, 1 to 53. */
  week(): Expression<number> {
    return this.#call('dt.week', [])
  }

  /** The day of the month, 1 to 31. */
  day(): Expression<number> {
    return this.#call('dt.day', [])
  }

  /** The day of the week, 0 (Monday) to 6. */
  dayOfWeek(): Expression<number> {
    return this.#call('dt.dayOfWeek', [])
  }

  /** The day of the year, 1 to 366. */
  dayOfYear(): Expression<number> {
    return this.#call('dt.dayOfYear', [])
  }

  /** The hour, 0 to 23. */
  hour(): Expression<number> {
    return this.#call('dt.hour', [])
  }

  /** The minute, 0 to 59. */
  minute(): Expression<number> {
    return this.#call('dt.minute', [])
  }

  /** The second, 0 to 59. */
  second(): Expression<number> {
    return this.#call('dt.second', [])
  }

  /** The milliseconds, 0 to 999. */
  millisecond(): Expression<number> {
    return this.#call('dt.millisecond', [])
  }

  /** The microseconds, 0 to 999. */
  microsecond(): Expression<number> {
    return this.#call('dt.microsecond', [])
  }

  /** The nanoseconds, 0 to 999. */
  nanosecond(): Expression<number> {
    return this.#call('dt.nanosecond', [])
  }

  /** The day, without the time. */
  date(): Expression<Date> {
    return this.#call('dt.date', [])
  }

  /** Seconds since 1970. */
  epoch(): Expression<number> {
    return this.#call('dt.epoch', [])
  }

  /** Milliseconds since 1970, as `Date.getTime` has them. */
  epochMs(): Expression<number> {
    return this.#call('dt.epochMs', [])
  }

  /** As text, in a format such as `%Y-%m-%d`. */
  strftime(format: string): Expression<string> {
    return this.#call('dt.strftime', [format])
  }

  /** The start of the unit that it lies in. */
  floor(unit: DateUnit): Expression<Date> {
    return this.#call('dt.floor', [unit])
  }

  /** The start of the next unit, unless it is the start of one itself. */
  ceil(unit: DateUnit): Expression<Date> {
    return this.#call('dt.ceil', [unit])
  }

  /** The start of the unit that is nearer; of the next one where both are as near. */
  round(unit: DateUnit): Expression<Date> {
    return this.#call('dt.round', [unit])
  }

  /** Some milliseconds later. */
  addMs(milliseconds: Operand): Expression<Date> {
    return this.#call('dt.addMs', [milliseconds])
  }

  /** Milliseconds from the other to this. */
  diffMs(other: Operand): Expression<number> {
    return this.#call('dt.diffMs', [other])
  }
}
