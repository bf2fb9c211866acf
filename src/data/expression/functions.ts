// What each function of an expression is in SQL.
//
// Results are kept in the kinds of numbers that JavaScript likes: lengths and parts of dates are
// int32 and not int64, which would be bigints. Where the engine would throw for one bad row
// (logarithm of zero, root of a negative number), the IEEE result is given instead, as Arrow does.

/** Gives SQL for a function's arguments, which are SQL themselves. */
type Template = (...args: readonly string[]) => string

const infix =
  (operator: string): Template =>
  (a, b) =>
    `(${a} ${operator} ${b})`

const plain =
  (name: string): Template =>
  (...args) =>
    `${name}(${args.join(', ')})`

const int32 =
  (name: string): Template =>
  (...args) =>
    `${name}(${args.join(', ')})::INTEGER`

/** A function of doubles that is NaN where `isOutside` holds. */
const within =
  (name: string, isOutside: (x: string) => string): Template =>
  (x = '') => {
    const value = `(${x})::DOUBLE`
    return `(CASE WHEN ${isOutside(value)} THEN 'NaN'::DOUBLE ELSE ${name}(${value}) END)`
  }

/** A function of doubles that is NaN of infinities, where the engine throws. */
const ofFinite = (name: string): Template => within(name, (x) => `isinf(${x})`)

const logarithm =
  (name: string): Template =>
  (x = '') => {
    const value = `(${x})::DOUBLE`
    return (
      `(CASE WHEN ${value} = 0 THEN '-Infinity'::DOUBLE WHEN ${value} < 0 THEN 'NaN'::DOUBLE ` +
      `ELSE ${name}(${value}) END)`
    )
  }

const arithmetic: Readonly<Record<string, Template>> = {
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  floordiv: (a, b) => `floor(${a} / ${b})`,
  mod: infix('%'),
  // The engine's own minus makes 56 of an unsigned 200.
  neg: (a) => `(${a} * -1)`,
  abs: plain('abs'),
  sign: within('sign', (x) => `isnan(${x})`),
  power: (a, b) => `power((${a})::DOUBLE, ${b})`,
  ceil: plain('ceil'),
  floor: plain('floor'),
  round: (a, digits) => `round_even(${a}, ${digits})`,
  trunc: plain('trunc'),
  sqrt: within('sqrt', (x) => `${x} < 0`),
  exp: plain('exp'),
  ln: logarithm('ln'),
  log2: logarithm('log2'),
  log10: logarithm('log10'),
  sin: ofFinite('sin'),
  cos: ofFinite('cos'),
  tan: ofFinite('tan'),
  asin: within('asin', (x) => `abs(${x}) > 1`),
  acos: within('acos', (x) => `abs(${x}) > 1`),
  atan: plain('atan'),
  atan2: plain('atan2'),
  sinh: plain('sinh'),
  cosh: plain('cosh'),
  tanh: plain('tanh'),
}

const logic: Readonly<Record<string, Template>> = {
  eq: infix('='),
  ne: infix('<>'),
  gt: infix('>'),
  gte: infix('>='),
  lt: infix('<'),
  lte: infix('<='),
  and: infix('AND'),
  or: infix('OR'),
  xor: (a, b) => `((${a})::BOOLEAN <> (${b})::BOOLEAN)`,
  not: (a) => `(NOT ${a})`,
  isNull: (a) => `(${a} IS NULL)`,
  isNotNull: (a) => `(${a} IS NOT NULL)`,
  isNan: (a) => `isnan((${a})::DOUBLE)`,
  isFinite: (a) => `isfinite((${a})::DOUBLE)`,
  // A null is in no list, so that `not` of it holds: as pyarrow has it, and SQL does not.
  isIn: (a, ...items) =>
    items.length === 0 ? 'FALSE' : `coalesce(${a} IN (${items.join(', ')}), FALSE)`,
  between: (a, low, high) => `(${a} BETWEEN ${low} AND ${high})`,
  coalesce: plain('coalesce'),
  nullIf: plain('nullif'),
  // As many bits as a double has.
  hashFraction: (a) => `((hash(${a}) >> 11)::DOUBLE / ${2 ** 53})`,
  // Conditions and values alternate; the last one is the value of all other rows.
  case: (...args) => {
    const branches: string[] = []
    for (let i = 0; i + 1 < args.length; i += 2) {
      branches.push(`WHEN ${args[i] ?? ''} THEN ${args[i + 1] ?? ''}`)
    }
    return `(CASE ${branches.join(' ')} ELSE ${args.at(-1) ?? 'NULL'} END)`
  },
}

/**
 * The part from an index to before another, both counted from 0, or from the end where negative.
 * The engine counts from 1, and includes the end.
 */
const slice: Template = (a, start = '0', end = 'NULL', step) => {
  const first = `(CASE WHEN ${start} < 0 THEN ${start} ELSE ${start} + 1 END)`
  const last = end === 'NULL' ? '-1' : `(CASE WHEN ${end} < 0 THEN ${end} - 1 ELSE ${end} END)`
  return `list_slice(${[a, first, last, ...(step === undefined ? [] : [step])].join(', ')})`
}

/** A character that is neither capital nor small, and a word as a title has it. */
const uncased = '[^\\p{Lu}\\p{Ll}\\p{Lt}]'
const titled = '[\\p{Lu}\\p{Lt}]\\p{Ll}*'

const strings: Readonly<Record<string, Template>> = {
  'str.len': int32('length'),
  'str.byteLen': int32('strlen'),
  'str.upper': plain('upper'),
  'str.lower': plain('lower'),
  'str.capitalize': (a) => `(upper(substring(${a}, 1, 1)) || lower(substring(${a}, 2)))`,
  'str.title': (a) =>
    `array_to_string(list_transform(regexp_extract_all(${a}, '\\p{L}+|\\P{L}+'), ` +
    `lambda w: upper(substring(w, 1, 1)) || lower(substring(w, 2))), '')`,
  'str.swapcase': (a) =>
    `array_to_string(list_transform(string_split(${a}, ''), ` +
    `lambda c: CASE WHEN c = upper(c) THEN lower(c) ELSE upper(c) END), '')`,
  'str.reverse': plain('reverse'),
  'str.strip': plain('trim'),
  'str.lstrip': plain('ltrim'),
  'str.rstrip': plain('rtrim'),
  // Padding never cuts: the engine's own would.
  'str.lpad': (a, width, fill) => `lpad(${a}, greatest(${width}, length(${a}))::INTEGER, ${fill})`,
  'str.rpad': (a, width, fill) => `rpad(${a}, greatest(${width}, length(${a}))::INTEGER, ${fill})`,
  'str.center': (a, width, fill) => {
    const missing = `greatest(${width} - length(${a}), 0)`
    const [before, after] = [`${missing} // 2`, `${missing} - ${missing} // 2`]
    return `(repeat(${fill}, ${before}) || ${a} || repeat(${fill}, ${after}))`
  },
  'str.startsWith': plain('starts_with'),
  'str.endsWith': plain('suffix'),
  'str.contains': plain('contains'),
  'str.match': (a, pattern) => `(${a} LIKE ${pattern})`,
  'str.matchRegex': plain('regexp_matches'),
  // The position counted from 0, and -1 where it is not found.
  'str.find': (a, part) => `(strpos(${a}, ${part}) - 1)::INTEGER`,
  // The shortest text before a match ends where the first match begins.
  'str.findRegex': (a, pattern) =>
    `(CASE regexp_matches(${a}, ${pattern}) WHEN FALSE THEN -1 WHEN TRUE THEN ` +
    `length(regexp_extract(${a}, '^([\\s\\S]*?)(?:' || ${pattern} || ')', 1)) END)::INTEGER`,
  'str.count': (a, part) =>
    `((length(${a}) - length(replace(${a}, ${part}, ''))) // length(${part}))::INTEGER`,
  'str.countRegex': (a, pattern) => `len(regexp_extract_all(${a}, ${pattern}))::INTEGER`,
  'str.replace': plain('replace'),
  'str.replaceRegex': (a, pattern, by) => `regexp_replace(${a}, ${pattern}, ${by}, 'g')`,
  'str.replaceSlice': (a, start, end, to) => {
    const [before, after] = [start, end].map((at = '') => {
      return `(CASE WHEN ${at} < 0 THEN greatest(length(${a}) + ${at}, 0) ELSE ${at} END)`
    })
    const rest = `greatest(${before}, ${after})`
    return `(substring(${a}, 1, ${before}) || ${to} || substring(${a}, ${rest} + 1))`
  },
  'str.extract': (a, pattern, group) => `regexp_extract(${a}, ${pattern}, ${group})`,
  'str.slice': slice,
  'str.repeat': plain('repeat'),
  'str.split': plain('string_split'),
  'str.splitRegex': plain('string_split_regex'),
  'str.splitWhitespace': (a) => `string_split_regex(${a}, '\\s+')`,
  'str.concat': (...args) => `(${args.join(' || ')})`,
  'str.isAlpha': (a) => `regexp_full_match(${a}, '\\p{L}+')`,
  'str.isDigit': (a) => `regexp_full_match(${a}, '\\p{Nd}+')`,
  'str.isAlnum': (a) => `regexp_full_match(${a}, '[\\p{L}\\p{N}]+')`,
  'str.isDecimal': (a) => `regexp_full_match(${a}, '\\p{Nd}+')`,
  'str.isPrintable': (a) => `regexp_full_match(${a}, '( |[^\\p{C}\\p{Z}])*')`,
  'str.isTitle': (a) =>
    `regexp_full_match(${a}, '${uncased}*${titled}(${uncased}+${titled})*${uncased}*')`,
  'str.isNumeric': (a) => `regexp_full_match(${a}, '\\p{N}+')`,
  'str.isSpace': (a) => `regexp_full_match(${a}, '\\s+')`,
  'str.isUpper': (a) => `(upper(${a}) = ${a} AND lower(${a}) <> ${a})`,
  'str.isLower': (a) => `(lower(${a}) = ${a} AND upper(${a}) <> ${a})`,
  'str.isAscii': (a) => `(strlen(${a}) = length(${a}))`,
  'str.toDate': (a, format) => `strptime(${a}, ${format})`,
}

const part = (name: string): Template => int32(name)

const dates: Readonly<Record<string, Template>> = {
  'dt.year': part('year'),
  'dt.quarter': part('quarter'),
  'dt.month': part('month'),
  'dt.week': part('week'),
  'dt.day': part('day'),
  // Monday is 0, as in Python and pyarrow.
  'dt.dayOfWeek': (a) => `(isodow(${a}) - 1)::INTEGER`,
  'dt.dayOfYear': part('dayofyear'),
  'dt.hour': part('hour'),
  'dt.minute': part('minute'),
  'dt.second': part('second'),
  'dt.millisecond': (a) => `(millisecond(${a}) % 1000)::INTEGER`,
  'dt.microsecond': (a) => `(microsecond(${a}) % 1000)::INTEGER`,
  'dt.nanosecond': (a) => `(nanosecond(${a}) % 1000)::INTEGER`,
  'dt.date': (a) => `(${a})::DATE`,
  'dt.epoch': (a) => `epoch(${a})`,
  'dt.epochMs': (a) => `epoch_ms(${a})::DOUBLE`,
  'dt.strftime': plain('strftime'),
  'dt.floor': (a, unit) => `date_trunc(${unit}, ${a})`,
  'dt.ceil': (a, unit) => {
    const floor = `date_trunc(${unit}, ${a})`
    const next = `${floor} + ('1 ' || ${unit})::INTERVAL`
    return `(CASE WHEN ${floor} = ${a} THEN ${floor} ELSE ${next} END)`
  },
  // Half of a unit is rounded up.
  'dt.round': (a, unit) => {
    const floor = `date_trunc(${unit}, ${a})`
    const ceil = `(${floor} + ('1 ' || ${unit})::INTERVAL)`
    return `(CASE WHEN ${a} - ${floor} < ${ceil} - ${a} THEN ${floor} ELSE ${ceil} END)`
  },
  'dt.addMs': (a, ms) => `(${a} + to_microseconds((${ms} * 1000)::BIGINT))`,
  // The difference of two times in milliseconds, a number as in JavaScript.
  'dt.diffMs': (a, b) => `((epoch_us(${a}) - epoch_us(${b})) / 1000)`,
}

const nested: Readonly<Record<string, Template>> = {
  'list.len': int32('len'),
  'list.get': (a, index) =>
    `list_extract(${a}, CASE WHEN ${index} < 0 THEN ${index} ELSE ${index} + 1 END)`,
  'list.slice': slice,
  'list.contains': plain('list_contains'),
  'list.sum': plain('list_sum'),
  'list.mean': plain('list_avg'),
  'list.min': plain('list_min'),
  'list.max': plain('list_max'),
  'list.sort': plain('list_sort'),
  // A slice of all of it is a list, whatever it was before.
  'arr.toList': (a) => `list_slice(${a}, 1, -1)`,
  'list.unique': plain('list_distinct'),
  'list.reverse': plain('list_reverse'),
  'list.flatten': plain('flatten'),
  'list.join': plain('array_to_string'),
  'struct.field': plain('struct_extract'),
  'struct.fieldByIndex': (a, index) => `struct_extract_at(${a}, ${index} + 1)`,
  'map.keys': plain('map_keys'),
  'map.values': plain('map_values'),
  'map.get': (a, key) => `map_extract(${a}, ${key})[1]`,
}

/** Every function, by the name that nodes call it. */
export const functions: ReadonlyMap<string, Template> = new Map(
  [arithmetic, logic, strings, dates, nested].flatMap((table) => Object.entries(table)),
)
