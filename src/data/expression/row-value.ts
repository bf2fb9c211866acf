// What expressions are in types, before it is known which dataset they are computed of. `col('a')`
// stands for whatever the rows have in `a`: a dataset that is given the expression looks that up,
// also inside sums and products. Nothing here runs.

import type { Literal } from './node.js'

declare const pending: unique symbol
interface Pending {
  readonly [pending]: true
}

declare const same: unique symbol
/** In types: a value of the kind that a column has. */
export interface SameAs<On> extends Pending {
  readonly [same]: On
}

declare const list: unique symbol
/** In types: a list of values of the kind that a column has. */
export interface ListOf<On> extends Pending {
  readonly [list]: On
}

declare const present: unique symbol
interface Present<Value> extends Pending {
  readonly [present]: Value
}

declare const arithmetic: unique symbol
interface Arithmetic<Left, Right> extends Pending {
  readonly [arithmetic]: readonly [Left, Right]
}

declare const whole: unique symbol
/** A whole number of the program, which leaves 64-bit integers what they are. */
interface Whole {
  readonly [whole]: true
}
declare const some: unique symbol
/** A number of which the compiler does not know whether it is whole. */
interface SomeNumber {
  readonly [some]: true
}

/** What a literal is in a column. */
export type Widened<Value> = Value extends number
  ? number
  : Value extends string
    ? string
    : Value extends bigint
      ? bigint
      : Value extends boolean
        ? boolean
        : Value

/** The name of a column without a type, and else the type. */
export type ColumnValue<T, Name> = unknown extends T ? SameAs<Name> : T

type Factor<Operand> = Operand extends { readonly valueType: infer T }
  ? T
  : Operand extends number
    ? number extends Operand
      ? SomeNumber
      : `${Operand}` extends `${bigint}`
        ? Whole
        : number
    : Widened<Operand>

/** Numbers that meet: a fraction makes fractions, and a null nulls. */
type Combined<Left, Right> = Right extends Whole
  ? Left
  : Right extends SomeNumber
    ? Left | (bigint extends Left ? number : never)
    : number extends Left | Right
      ? number | Extract<Left | Right, null>
      : Left | Right

/** What adding, subtracting or multiplying two values gives. */
export type Computed<Left, Operand> = [
  Extract<Left, Pending>,
  Extract<Factor<Operand>, Pending>,
] extends [never, never]
  ? Combined<Left, Factor<Operand>>
  : Arithmetic<Left, Factor<Operand>>

/** A value without null. */
export type Filled<Value> = Value extends Pending ? Present<Value> : NonNullable<Value>

/** What an operand is as a column: itself if it is an expression. */
export type OperandValue<Operand> = Operand extends { readonly valueType: infer T }
  ? T
  : Operand extends Literal
    ? Widened<Operand>
    : unknown

/** A value of an expression in the rows of a dataset. */
export type ValueIn<Row, Value> = Value extends Pending
  ? Value extends SameAs<infer On>
    ? On extends keyof Row
      ? Row[On]
      : unknown
    : Value extends ListOf<infer On>
      ? (On extends keyof Row ? Row[On] : unknown)[]
      : Value extends Present<infer Of>
        ? NonNullable<ValueIn<Row, Of>>
        : Value extends Arithmetic<infer Left, infer Right>
          ? Combined<ValueIn<Row, Left>, ValueIn<Row, Right>>
          : never
  : Value
