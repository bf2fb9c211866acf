// What a join or a zip makes of two types of rows. Nothing here runs.

import type { How, JoinOptions } from './exchange-options.js'

type Names<On> = On extends readonly (infer Name)[] ? Name : On
/** Refuses keys that the left side does not have, where their names are known. */
export type OnColumns<Left, Options extends JoinOptions> =
  string extends Names<Options['on']>
    ? unknown
    : Names<Options['on']> extends keyof Left
      ? unknown
      : { readonly on: (keyof Left & string) | readonly (keyof Left & string)[] }

type RightOn<Options extends JoinOptions> = Options extends { readonly rightOn: infer On }
  ? Names<On>
  : Names<Options['on']>
type HowOf<Options extends JoinOptions> = Options extends { readonly how: infer H extends How }
  ? H
  : 'inner'
type Suffix<Options, Key extends string> =
  Options extends Readonly<Record<Key, infer Text extends string>> ? Text : ''

type OnlyLeft = 'semi' | 'leftSemi' | 'left_semi' | 'anti' | 'leftAnti' | 'left_anti'
type OnlyRight = 'rightSemi' | 'right_semi' | 'rightAnti' | 'right_anti'
/** Kinds that keep rows of the left side without a partner, which then has nothing on the right. */
type KeepsLeft = 'left' | 'left_outer' | 'full' | 'full_outer'
type KeepsRight = 'right' | 'right_outer' | 'full' | 'full_outer'

type OrNull<Value, IsNull> = IsNull extends true ? Value | null : Value

/** Columns of both sides, with suffixes where both have a name that is no key. */
type Paired<Left, Right, Options extends JoinOptions> = {
  [
    K in keyof Left as K extends Exclude<keyof Right, RightOn<Options>> & string
      ? `${K}${Suffix<Options, 'leftSuffix'>}`
      : K
  ]: OrNull<
    Left[K],
    K extends Names<Options['on']> ? false : HowOf<Options> extends KeepsRight ? true : false
  >
} & {
  [
    K in Exclude<keyof Right, RightOn<Options>> as K extends keyof Left & string
      ? `${K}${Suffix<Options, 'rightSuffix'>}`
      : K
  ]: OrNull<Right[K], HowOf<Options> extends KeepsLeft ? true : false>
}

/** Whether the names of columns are known. */
type IsKnown<Row> = string extends keyof Row ? false : true

/** The rows of a join: keys once, and null for what a row without a partner lacks. */
export type Joined<Left, Right, Options extends JoinOptions> =
  HowOf<Options> extends OnlyLeft
    ? Left
    : HowOf<Options> extends OnlyRight
      ? Right
      : [IsKnown<Left>, IsKnown<Right>] extends [true, true]
        ? string extends Names<Options['on']> | RightOn<Options>
          ? Left & Omit<Right, keyof Left>
          : Paired<Left, Right, Options>
        : Left & Right

/** Two rows side by side: a name that the left one has gets `_1` on the right. */
export type Zipped<Left, Right> =
  IsKnown<Left> extends true
    ? Left & { [K in keyof Right as K extends keyof Left & string ? `${K}_1` : K]: Right[K] }
    : Left & Omit<Right, keyof Left>
