// Random expressions over the columns of a table, each with what it computes of a row.

import type { Prng } from '../../src/base/prng.js'
import { col, type Expression, lit, when } from '../../src/data/index.js'
import { type Kind, type Row, type TableColumn, valuesOf } from './random-tables.js'
import { compareValues } from './value-text.js'

/** An expression, and its value in a row. */
export interface Computed {
  readonly expression: Expression
  readonly of: (row: Row) => unknown
}

export const comparable: readonly Kind[] = [
  'int', 'big', 'float', 'text', 'flag', 'time', 'decimal',
] // prettier-ignore

type Fn = (...values: never[]) => unknown

/** Null where an argument is null. */
function strict(expression: Expression, args: readonly Computed[], fn: Fn): Computed {
  const of = (row: Row): unknown => {
    const values = args.map((arg) => arg.of(row))
    return values.includes(null) ? null : fn(...(values as never[]))
  }
  return { expression, of }
}

function literal(prng: Prng, kind: Kind): Computed {
  const value = prng.pick(valuesOf[kind])
  return { expression: lit(value as never), of: () => value }
}

export class RandomExpressions {
  readonly #prng: Prng
  readonly #columns: readonly TableColumn[]

  constructor(prng: Prng, columns: readonly TableColumn[]) {
    this.#prng = prng
    this.#columns = columns
  }

  /** One of some kind; undefined where the table has nothing to make it of. */
  ofKind(kind: Kind, depth = 2): Computed | undefined {
    const prng = this.#prng
    if (depth > 0 && prng.chance(0.7)) {
      const made = prng.pick(this.#makers[kind] ?? [() => undefined])(depth - 1)
      if (made !== undefined) return made
    }
    const of = this.#columns.filter((column) => column.kind === kind)
    if (of.length === 0) return undefined
    return this.column(prng.pick(of).name)
  }

  column(name: string): Computed {
    return { expression: col(name), of: (row) => row[name] ?? null }
  }

  readonly #any = (
    kinds: readonly Kind[],
    depth: number,
  ): (Computed & { kind: Kind }) | undefined => {
    const kind = this.#prng.pick(kinds)
    const made = this.ofKind(kind, depth)
    return made && { ...made, kind }
  }

  readonly #map = (kind: Kind, depth: number, make: (of: Computed) => Computed) => {
    const of = this.ofKind(kind, depth)
    return of && make(of)
  }

  readonly #makers: Readonly<
    Partial<Record<Kind, readonly ((depth: number) => Computed | undefined)[]>>
  > = {
    flag: [
      (depth) => {
        const a = this.#any(comparable, depth)
        if (a === undefined) return undefined
        const b = this.ofKind(a.kind, depth) ?? literal(this.#prng, a.kind)
        return this.#compared(a, this.#prng.chance(0.5) ? b : literal(this.#prng, a.kind))
      },
      (depth) => {
        const a = this.#any(Object.keys(valuesOf) as Kind[], depth)
        if (a === undefined) return undefined
        const isNull = (row: Row): boolean => a.of(row) === null
        return this.#prng.chance(0.5)
          ? { expression: a.expression.isNull(), of: isNull }
          : { expression: a.expression.isNotNull(), of: (row) => !isNull(row) }
      },
      (depth) => {
        const a = this.#any(comparable, depth)
        if (a === undefined) return undefined
        const items = [1, 2].map(() => this.#prng.pick([...valuesOf[a.kind], null]))
        const isIn = (row: Row): boolean => {
          const value = a.of(row)
          if (value === null) return items.includes(null)
          return items.some((item) => item !== null && compareValues(value, item) === 0)
        }
        return this.#prng.chance(0.7)
          ? { expression: a.expression.isIn(items as never), of: isIn }
          : { expression: a.expression.notIn(items as never), of: (row) => !isIn(row) }
      },
      (depth) => {
        const a = this.#any(comparable, depth)
        if (a === undefined) return undefined
        const [low, high] = [literal(this.#prng, a.kind), literal(this.#prng, a.kind)]
        const expression = a.expression.between(low.expression, high.expression)
        return strict(expression, [a, low, high], (x: unknown, from: unknown, to: unknown) => {
          return compareValues(x, from) >= 0 && compareValues(x, to) <= 0
        })
      },
      (depth) => this.#logical(depth),
      (depth) =>
        this.#map('flag', depth, (a) => {
          return strict(a.expression.not(), [a], (x: boolean) => !x)
        }),
      (depth) =>
        this.#map('text', depth, (a) => {
          const part = this.#prng.pick(['', 'a', 'ü', '%', "'"])
          const { str } = a.expression
          return this.#prng.pick([
            strict(str.contains(part), [a], (x: string) => x.includes(part)),
            strict(str.startsWith(part), [a], (x: string) => x.startsWith(part)),
            strict(str.endsWith(part), [a], (x: string) => x.endsWith(part)),
          ])
        }),
      (depth) =>
        this.#map('float', depth, (a) => {
          return this.#prng.pick([
            strict(a.expression.isNan(), [a], Number.isNaN),
            strict(a.expression.isFinite(), [a], Number.isFinite),
          ])
        }),
      (depth) =>
        this.#map('list', depth, (a) => {
          return strict(a.expression.list.contains(1), [a], (x: unknown[]) => x.includes(1))
        }),
    ],
    int: [
      (depth) =>
        this.#map('int', depth, (a) => {
          const n = this.#prng.integer(-3, 3)
          const e = a.expression
          return this.#prng.pick([
            strict(e.add(n), [a], (x: number) => x + n),
            strict(e.sub(n), [a], (x: number) => x - n),
            strict(e.mul(n), [a], (x: number) => x * n + 0),
            strict(e.mod(n), [a], (x: number) => (n === 0 ? null : (x % n) + 0)),
            strict(e.neg(), [a], (x: number) => 0 - x),
            strict(e.abs(), [a], Math.abs),
            strict(e.sign(), [a], Math.sign),
          ])
        }),
      (depth) =>
        this.#map('text', depth, (a) => {
          return strict(a.expression.str.len(), [a], (x: string) => [...x].length)
        }),
      (depth) =>
        this.#map('time', depth, (a) => {
          const { dt } = a.expression
          return this.#prng.pick([
            strict(dt.year(), [a], (x: Date) => x.getUTCFullYear()),
            strict(dt.month(), [a], (x: Date) => x.getUTCMonth() + 1),
            strict(dt.dayOfWeek(), [a], (x: Date) => (x.getUTCDay() + 6) % 7),
            strict(dt.millisecond(), [a], (x: Date) => x.getUTCMilliseconds()),
          ])
        }),
      (depth) =>
        this.#map('list', depth, (a) => {
          const { list } = a.expression
          return this.#prng.pick([
            strict(list.len(), [a], (x: unknown[]) => x.length),
            strict(list.get(1), [a], (x: unknown[]) => x[1] ?? null),
            strict(list.get(-1), [a], (x: unknown[]) => x.at(-1) ?? null),
          ])
        }),
      (depth) =>
        this.#map('struct', depth, (a) => {
          return strict(a.expression.struct.field('a'), [a], (x: Row) => x.a)
        }),
      (depth) => this.#chosen('int', depth),
    ],
    big: [
      (depth) =>
        this.#map('big', depth, (a) => {
          const n = this.#prng.integer(-3, 3)
          return this.#prng.pick([
            strict(a.expression.add(n), [a], (x: bigint) => x + BigInt(n)),
            strict(a.expression.sub(BigInt(n)), [a], (x: bigint) => x - BigInt(n)),
            strict(a.expression.neg(), [a], (x: bigint) => -x),
          ])
        }),
      (depth) =>
        this.#map('int', depth, (a) => {
          return strict(a.expression.cast('int64'), [a], BigInt)
        }),
      (depth) => this.#chosen('big', depth),
    ],
    float: [
      (depth) =>
        this.#map('float', depth, (a) => {
          const n = this.#prng.pick([0.5, -2, 4])
          return this.#prng.pick([
            strict(a.expression.add(n), [a], (x: number) => x + n),
            strict(a.expression.mul(n), [a], (x: number) => x * n),
            strict(a.expression.neg(), [a], (x: number) => -x),
            strict(a.expression.floor(), [a], Math.floor),
            strict(a.expression.sqrt(), [a], Math.sqrt),
          ])
        }),
      (depth) =>
        this.#map('int', depth, (a) => {
          const n = this.#prng.pick([2, -4, 0.5])
          return this.#prng.pick([
            strict(a.expression.div(n), [a], (x: number) => x / n),
            strict(a.expression.floordiv(n), [a], (x: number) => Math.floor(x / n)),
            strict(a.expression.cast('float64'), [a], Number),
          ])
        }),
      (depth) => this.#chosen('float', depth),
    ],
    text: [
      (depth) =>
        this.#map('text', depth, (a) => {
          const { str } = a.expression
          return this.#prng.pick([
            strict(str.upper(), [a], (x: string) => x.toUpperCase()),
            strict(str.concat('é', a.expression), [a], (x: string) => `${x}é${x}`),
            strict(str.slice(1), [a], (x: string) => [...x].slice(1).join('')),
            strict(str.slice(-2, -1), [a], (x: string) => [...x].slice(-2, -1).join('')),
            strict(str.replace('a', '%'), [a], (x: string) => x.replaceAll('a', '%')),
            strict(str.strip(), [a], (x: string) => x.trim()),
            strict(str.reverse(), [a], (x: string) => [...x].reverse().join('')),
          ])
        }),
      (depth) =>
        this.#map('int', depth, (a) => {
          return strict(a.expression.cast('string'), [a], String)
        }),
      (depth) =>
        this.#map('struct', depth, (a) => {
          return strict(a.expression.struct.field('b'), [a], (x: Row) => x.b)
        }),
      (depth) => this.#chosen('text', depth),
    ],
    time: [
      (depth) =>
        this.#map('time', depth, (a) => {
          const { dt } = a.expression
          return this.#prng.pick([
            strict(dt.floor('day'), [a], (x: Date) => {
              return new Date(Math.floor(x.getTime() / 86_400_000) * 86_400_000)
            }),
            strict(dt.addMs(1500), [a], (x: Date) => new Date(x.getTime() + 1500)),
          ])
        }),
      (depth) => this.#chosen('time', depth),
    ],
    decimal: [(depth) => this.#chosen('decimal', depth)],
  }

  #compared(a: Computed, b: Computed): Computed {
    const { expression } = a
    const by = b.expression
    const [op, holds] = this.#prng.pick<[Expression, (order: number) => boolean]>([
      [expression.eq(by), (order) => order === 0],
      [expression.ne(by), (order) => order !== 0],
      [expression.gt(by), (order) => order > 0],
      [expression.gte(by), (order) => order >= 0],
      [expression.lt(by), (order) => order < 0],
      [expression.lte(by), (order) => order <= 0],
    ])
    return strict(op, [a, b], (x: unknown, y: unknown) => holds(compareValues(x, y)))
  }

  #logical(depth: number): Computed | undefined {
    const [a, b] = [this.ofKind('flag', depth), this.ofKind('flag', depth)]
    if (a === undefined || b === undefined) return undefined
    const both = (row: Row): readonly unknown[] => [a.of(row), b.of(row)]
    return this.#prng.pick<Computed>([
      {
        expression: a.expression.and(b.expression),
        of: (row) => (both(row).includes(false) ? false : both(row).includes(null) ? null : true),
      },
      {
        expression: a.expression.or(b.expression),
        of: (row) => (both(row).includes(true) ? true : both(row).includes(null) ? null : false),
      },
      strict(a.expression.xor(b.expression), [a, b], (x: boolean, y: boolean) => x !== y),
    ])
  }

  /** One of two by a condition, or another where there is none. */
  #chosen(kind: Kind, depth: number): Computed | undefined {
    const prng = this.#prng
    const a = this.ofKind(kind, depth)
    if (a === undefined) return undefined
    const b = prng.chance(0.5) ? literal(prng, kind) : (this.ofKind(kind, depth) ?? a)
    const choice = prng.integer(0, 2)
    if (choice === 0) {
      return {
        expression: a.expression.fillNull(b.expression),
        of: (row) => a.of(row) ?? b.of(row),
      }
    }
    if (choice === 1) {
      const of = (row: Row): unknown => {
        const [x, y] = [a.of(row), b.of(row)]
        return x !== null && y !== null && compareValues(x, y) === 0 ? null : x
      }
      return { expression: a.expression.nullIf(b.expression), of }
    }
    const flag = this.ofKind('flag', depth)
    if (flag === undefined) return undefined
    const expression = when(flag.expression, a.expression, b.expression)
    return { expression, of: (row) => (flag.of(row) === true ? a : b).of(row) }
  }
}
