import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect, isDeepStrictEqual } from 'node:util'
import { rowsOfBlock } from '../block/rows.js'
import { query } from '../engine/engine.js'
import { col, type Expression, hashFraction, lit, when } from './expression.js'
import { functions } from './functions.js'
import { columnsOfNode, conjunctsOf, someNode, substitute } from './node.js'
import { sqlOfNode } from './sql.js'

const text = `'Ab c'::VARCHAR AS s, ''::VARCHAR AS empty, 'a1'::VARCHAR AS mixed`
const numbers = `7::INTEGER AS i, -2.5::DOUBLE AS f, NULL::INTEGER AS n, 0::INTEGER AS zero`
const time = `TIMESTAMP '2024-02-29 13:14:15.123456' AS t`
const maps = `{'x': 5, 'y': 'q'} AS st, MAP {'k': 9} AS m`
const nested = `[1, 2]::INTEGER[2] AS pair, [3, 1, 1] AS l, ${maps}`

function valueOf(expression: Expression): unknown {
  const table = `(SELECT ${text}, ${numbers}, ${time}, ${nested})`
  const [row] = rowsOfBlock(query(`SELECT ${sqlOfNode(expression.node)} AS v FROM ${table}`))
  return row?.v
}

const [i, f, n, s, t, l] = ['i', 'f', 'n', 's', 't', 'l'].map((name) => col(name)) as [
  Expression, Expression, Expression, Expression, Expression, Expression,
] // prettier-ignore

const cases: readonly (readonly [Expression, unknown])[] = [
  [i.add(1), 8],
  [i.sub(f), 9.5],
  [i.mul(2), 14],
  [i.div(2), 3.5],
  [i.floordiv(2), 3],
  [i.mod(4), 3],
  [i.neg(), -7],
  [f.abs(), 2.5],
  [f.sign(), -1],
  [i.power(2), 49],
  [f.ceil(), -2],
  [f.floor(), -3],
  [f.round(), -2],
  [f.trunc(), -2],
  [lit(2.345).round(1), 2.3],
  [i.add(2).sqrt(), 3],
  [f.sqrt(), Number.NaN],
  [lit(0).exp(), 1],
  [lit(1).ln(), 0],
  [col('zero').ln(), Number.NEGATIVE_INFINITY],
  [f.log2(), Number.NaN],
  [lit(8).log2(), 3],
  [lit(100).log10(), 2],
  [lit(0).sin(), 0],
  [lit(0).cos(), 1],
  [lit(0).tan(), 0],
  [i.asin(), Number.NaN],
  [lit(1).acos(), 0],
  [lit(0).atan(), 0],
  [lit(0).atan2(1), 0],
  [lit(0).sinh(), 0],
  [lit(0).cosh(), 1],
  [lit(0).tanh(), 0],
  [i.eq(7), true],
  [i.ne(7), false],
  [i.gt(6), true],
  [i.gte(7), true],
  [i.lt(7), false],
  [i.lte(7), true],
  [i.gt(1).and(f.gt(0)), false],
  [i.gt(1).or(f.gt(0)), true],
  [i.gt(1).xor(f.lt(0)), false],
  [i.gt(1).not(), false],
  [n.isNull(), true],
  [n.isNotNull(), false],
  [n.gt(1), null],
  [f.isNan(), false],
  [f.isFinite(), true],
  [i.isIn([1, 7]), true],
  [n.isIn([1, 7]), false],
  [n.isIn([1, null]), true],
  [i.isIn([]), false],
  [n.notIn([1]), true],
  [i.between(7, 9), true],
  [n.fillNull(4), 4],
  [i.nullIf(7), null],
  [when(i.gt(5), 'big', 'small'), 'big'],
  [when(n.gt(5), 'big'), null],
  [
    hashFraction(s)
      .between(0, 1)
      .and(hashFraction(s).ne(hashFraction(i))),
    true,
  ],
  [i.cast('string'), '7'],
  [s.tryCast('int32'), null],
  [lit('1.25').cast('decimal(5, 2)'), 1.25],
  [s.str.len(), 4],
  [lit('ü').str.byteLen(), 2],
  [s.str.upper(), 'AB C'],
  [s.str.lower(), 'ab c'],
  [lit('aB').str.capitalize(), 'Ab'],
  [lit('two wORDS').str.title(), 'Two Words'],
  [s.str.swapcase(), 'aB C'],
  [s.str.reverse(), 'c bA'],
  [lit(' x ').str.strip(), 'x'],
  [lit(' x ').str.lstrip(), 'x '],
  [lit('xyx').str.rstrip('x'), 'xy'],
  [s.str.lpad(6, '*'), '**Ab c'],
  [s.str.rpad(2), 'Ab c'],
  [s.str.center(7, '-'), '-Ab c--'],
  [i.cast('string').str.zfill(3), '007'],
  [s.str.startsWith('Ab'), true],
  [s.str.endsWith('b'), false],
  [s.str.contains('b c'), true],
  [s.str.match('A%'), true],
  [s.str.matchRegex('^A. '), true],
  [s.str.find('c'), 3],
  [s.str.find('z'), -1],
  [lit('abab').str.count('ab'), 2],
  [lit('a1b22').str.countRegex('[0-9]+'), 2],
  [s.str.replace('b', 'x'), 'Ax c'],
  [s.str.replaceRegex('[a-z]', '_'), 'A_ _'],
  [s.str.extract('([A-Z])(.)', 2), 'b'],
  [s.str.slice(1), 'b c'],
  [s.str.slice(0, 2), 'Ab'],
  [s.str.slice(-2), ' c'],
  [s.str.slice(1, -1), 'b '],
  [s.str.slice(-3, -1), 'b '],
  [s.str.slice(-9, 1), 'A'],
  [s.str.slice(3, 1), ''],
  [s.str.slice(1, 0), ''],
  [lit('üe\u0301b').str.slice(1, 3), 'e\u0301'],
  [lit('üb1').str.findRegex('[0-9]'), 2],
  [s.str.findRegex('(?i)B|c'), 1],
  [s.str.findRegex('^b'), -1],
  [n.cast('string').str.findRegex('x'), null],
  [lit('ab').str.pad(4, '*'), 'ab**'],
  [lit('ab').str.pad(4, '*', 'left'), '**ab'],
  [lit('ab').str.pad(5, '*', 'both'), '*ab**'],
  [lit('abcdef').str.replaceSlice(1, 3, 'XX'), 'aXXdef'],
  [lit('abcdef').str.replaceSlice(-2, 10, '-'), 'abcd-'],
  [lit('abc').str.replaceSlice(2, 1, '-'), 'ab-c'],
  [lit('üabc').str.replaceSlice(-9, -1, '-'), '-c'],
  [lit(' a  b\tc').str.splitWhitespace().list.join('|'), '|a|b|c'],
  [lit('1٢').str.isDecimal(), true],
  [lit('ü x').str.isPrintable(), true],
  [lit('a\n').str.isPrintable(), false],
  [lit('Two Words A1B').str.isTitle(), true],
  [lit('Two words').str.isTitle(), false],
  [lit('TWo').str.isTitle(), false],
  [lit('1').str.isTitle(), false],
  [lit('ab').str.repeat(2), 'abab'],
  [s.str.concat('!', i.cast('string')), 'Ab c!7'],
  [lit('ab').str.isAlpha(), true],
  [lit('12').str.isDigit(), true],
  [col('mixed').str.isAlnum(), true],
  [col('mixed').str.isNumeric(), false],
  [col('empty').str.isSpace(), false],
  [s.str.isUpper(), false],
  [s.str.isLower(), false],
  [lit('ü').str.isAscii(), false],
  [lit('2024-01-02').str.toDate('%Y-%m-%d'), new Date('2024-01-02')],
  [t.dt.year(), 2024],
  [t.dt.quarter(), 1],
  [t.dt.month(), 2],
  [t.dt.week(), 9],
  [t.dt.day(), 29],
  [t.dt.dayOfWeek(), 3],
  [t.dt.dayOfYear(), 60],
  [t.dt.hour(), 13],
  [t.dt.minute(), 14],
  [t.dt.second(), 15],
  [t.dt.millisecond(), 123],
  [t.dt.microsecond(), 456],
  [t.dt.nanosecond(), 0],
  [t.dt.date(), new Date('2024-02-29')],
  [t.dt.epoch(), 1709212455.123456],
  [t.dt.epochMs(), 1709212455123],
  [t.dt.strftime('%d.%m.%Y'), '29.02.2024'],
  [t.dt.floor('hour'), new Date('2024-02-29T13:00:00Z')],
  [t.dt.floor('week'), new Date('2024-02-26T00:00:00Z')],
  [t.dt.ceil('month'), new Date('2024-03-01T00:00:00Z')],
  [t.dt.ceil('quarter'), new Date('2024-04-01T00:00:00Z')],
  [t.dt.date().dt.ceil('day'), new Date('2024-02-29T00:00:00Z')],
  [t.dt.round('hour'), new Date('2024-02-29T13:00:00Z')],
  [lit(new Date('2024-02-15T12:00:00Z')).dt.round('day'), new Date('2024-02-16T00:00:00Z')],
  [lit(new Date('1969-12-31T23:30:00Z')).dt.ceil('week'), new Date('1970-01-05T00:00:00Z')],
  [t.dt.addMs(877), new Date('2024-02-29T13:14:16.000Z')],
  [t.dt.diffMs(new Date('2024-02-29T13:14:15.000Z')), 123.456],
  [t.gt(new Date('2024-02-29')), true],
  [l.list.len(), 3],
  [l.list.get(0), 3],
  [l.list.get(-1), 1],
  [l.list.contains(1), true],
  [l.list.sum().cast('int32'), 5],
  [l.list.min(), 1],
  [l.list.max(), 3],
  [l.list.mean().round(2), 1.67],
  [l.list.slice(1, 3).list.len(), 2],
  [l.list.slice(-2).list.join(','), '1,1'],
  [l.list.slice(0, -1).list.join(','), '3,1'],
  [l.list.slice(0, undefined, 2).list.join(','), '3,1'],
  [l.list.sort().list.get(0), 1],
  [l.list.sort({ descending: true }).list.get(0), 3],
  [lit([2, null, 3]).list.sort({ nulls: 'first' }).list.get(0), null],
  [col('pair').arr.toList().list.reverse().list.get(0), 2],
  [l.list.unique().list.len(), 2],
  [l.list.reverse().list.get(0), 1],
  [
    lit([[1], [2]])
      .list.flatten()
      .list.len(),
    2,
  ],
  [s.str.split(' ').list.get(1), 'c'],
  [s.str.splitRegex('b| ').list.join('-'), 'A--c'],
  [col('st').struct.field('x'), 5],
  [col('st').struct.fieldByIndex(1), 'q'],
  [col('m').map.keys().list.get(0), 'k'],
  [col('m').map.values().list.get(0), 9],
  [col('m').map.get('k'), 9],
]

test('every function computes what it says', () => {
  const wrong: string[] = []
  for (const [expression, expected] of cases) {
    const value = valueOf(expression)
    const isRight = isDeepStrictEqual(value, expected)
    if (!isRight) wrong.push(`${String(expression)} is ${inspect(value)}, not ${inspect(expected)}`)
  }
  assert.deepEqual(wrong, [])
  const tested = new Set<string>()
  for (const [{ node }] of cases) {
    someNode(node, (each) => (each.kind === 'call' && tested.add(each.fn), false))
  }
  const untested = [...functions.keys()].filter((name) => !tested.has(name))
  assert.deepEqual(untested, [])
})

test('literals keep their values', () => {
  const literals = [1.5, -3, 2 ** 60, 10n, -5n, 'it\'s "quoted"', 'a\0b', true, null, 1e-9, -0]
  for (const value of literals) assert.deepEqual(valueOf(lit(value)), value)
  const bytes = valueOf(lit(Uint8Array.of(0, 255, 92)))
  assert.deepEqual([...(bytes as Uint8Array)], [0, 255, 92])
})

test('an expression says what it computes', () => {
  const late = col('delay').gt(15).and(col('origin').isNull().not())
  assert.equal(String(late), '((delay > 15) and not(isNull(origin)))')
  assert.deepEqual(columnsOfNode(late.node), ['delay', 'origin'])
  assert.equal(conjunctsOf(late.node).length, 2)
})

test('columns can be replaced by what they were computed from', () => {
  const { node } = col('a').add(col('b'))
  const replaced = substitute(node, new Map([['a', col('x').mul(2).node]]))
  assert.equal(String({ toString: () => sqlOfNode(replaced) }), '(("x" * 2) + "b")')
})

test('what cannot be part of an expression is refused', () => {
  assert.throws(() => col('a').gt(undefined as never), /was given undefined/)
  assert.throws(() => col('a').eq(new Date(Number.NaN)), /invalid Date/)
  assert.throws(() => col('a').cast('int' as never), /'int' is not a type/)
  assert.throws(() => col(5 as never), /name of a column/)
  assert.throws(() => col('a').str.pad(4, ' ', 'top' as never), /'left', 'right' or 'both'/)
  assert.throws(() => col('a').list.slice(0, 3, 0), /a whole number above 0/)
  assert.throws(() => col('a').list.sort({ nulls: 'never' as never }), /'first' or 'last'/)
  assert.throws(() => col('a').struct.fieldByIndex(-1), /a whole number from 0/)
})
