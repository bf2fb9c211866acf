// Cleans one batch of flights and adds what the analysis needs: hour, day of the week, route.
//
// Everything is typed arrays and codes. A route is a code like its two airports are: of three
// million rows only the few thousand distinct routes ever become strings.

import { type Columns, DictionaryColumn, dictionaryEncode } from 'typeray/data'

export interface Flight {
  /** Milliseconds since 1970, local time of the departure. */
  readonly date: number
  readonly delay: number
  readonly distance: number
  readonly origin: string
  readonly destination: string
}

/** The columns of the flights that are kept. */
export interface CleanFlights {
  readonly date: Float64Array
  readonly delay: Int16Array
  readonly distance: Int16Array
  readonly origin: DictionaryColumn<string>
  readonly destination: DictionaryColumn<string>
  readonly hour: Uint8Array
  /** 0 is Sunday. */
  readonly weekday: Uint8Array
  readonly route: DictionaryColumn<string>
}

/**
 * Nobody leaves more than two hours early; beyond a day the record is wrong rather than the flight
 * late.
 */
const delayMinutes = { min: -120, max: 24 * 60 }
const hourMs = 3_600_000
const dayMs = 24 * hourMs

export function cleanFlights(batch: Columns<Flight>): CleanFlights {
  const origins = dictionaryEncode(batch.origin)
  const destinations = dictionaryEncode(batch.destination)
  const kept = validRows(batch, origins.codes, destinations.codes)
  const date = pick(batch.date, kept, Float64Array)
  const origin = new DictionaryColumn<string>(pick(origins.codes, kept, Int32Array), origins.values)
  const destination = new DictionaryColumn<string>(
    pick(destinations.codes, kept, Int32Array),
    destinations.values,
  )
  return {
    date,
    delay: pick(batch.delay, kept, Int16Array),
    distance: pick(batch.distance, kept, Int16Array),
    origin,
    destination,
    ...clockOf(date),
    route: routes(origin, destination),
  }
}

/**
 * Rows with every value present and plausible. A column with nulls comes as an array, and null is
 * not finite.
 */
function validRows(batch: Columns<Flight>, from: Int32Array, to: Int32Array): Uint32Array {
  const { date, delay, distance } = batch
  const kept = new Uint32Array(date.length)
  let count = 0
  for (let i = 0; i < date.length; i++) {
    const late = delay[i] ?? Number.NaN
    const isPlausible = late >= delayMinutes.min && late <= delayMinutes.max
    const isFlight = (distance[i] ?? 0) > 0 && (from[i] ?? -1) >= 0 && (to[i] ?? -1) >= 0
    if (isPlausible && isFlight && Number.isFinite(date[i])) kept[count++] = i
  }
  return kept.subarray(0, count)
}

function clockOf(date: Float64Array): { hour: Uint8Array; weekday: Uint8Array } {
  const hour = new Uint8Array(date.length)
  const weekday = new Uint8Array(date.length)
  for (let i = 0; i < date.length; i++) {
    const ms = date[i] ?? 0
    hour[i] = Math.floor(ms / hourMs) % 24
    // The first of January 1970 was a Thursday.
    weekday[i] = (Math.floor(ms / dayMs) + 4) % 7
  }
  return { hour, weekday }
}

interface Numbers {
  [index: number]: number
  readonly length: number
}

function pick<A extends Numbers>(
  values: Numbers,
  rows: Uint32Array,
  ArrayType: new (length: number) => A,
): A {
  const picked = new ArrayType(rows.length)
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i] ?? 0] ?? 0
  return picked
}

/** The pairs of two columns of codes, as codes of their own. */
function routes(
  from: DictionaryColumn<string>,
  to: DictionaryColumn<string>,
): DictionaryColumn<string> {
  const codes = new Int32Array(from.length)
  const known = new Int32Array(from.values.length * to.values.length).fill(-1)
  const values: string[] = []
  for (let i = 0; i < codes.length; i++) {
    const a = from.codes[i] ?? 0
    const b = to.codes[i] ?? 0
    const pair = a * to.values.length + b
    if (known[pair] === -1) known[pair] = values.push(`${from.values[a]}-${to.values[b]}`) - 1
    codes[i] = known[pair] ?? 0
  }
  return new DictionaryColumn(codes, values)
}
