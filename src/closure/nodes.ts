// The format of a serialised closure: a table of nodes that refer to each other by number.
//
// The table and the units go through one v8.serialize call, so that captured data keeps its
// identity across nodes.

import type { BuiltinName } from './builtins.js'
import type { IntrinsicPath } from './intrinsics.js'
import type { ImportReference } from './references.js'
import type { Unit } from './unit.js'

/** A node's number, or a primitive value. */
export type Ref = { readonly $: number } | { readonly v: unknown }

/**
 * Key, then attributes (1 enumerable, 2 configurable, 4 writable), then a value or a getter and a
 * setter.
 */
export interface PropertyRecord {
  readonly key: string | Ref
  readonly attributes: number
  readonly value?: Ref
  readonly get?: Ref
  readonly set?: Ref
}

export interface FunctionRecord {
  readonly k: 'function'
  readonly class: boolean
  /** Definition id, the same wherever this function travels. */
  readonly id: string
  readonly name: string
  readonly unit: number
  readonly captures: readonly (readonly [name: string, value: Ref])[]
  /** Must exist before the class is defined. */
  readonly heritage: Ref | undefined
  /** Used as a class: at most one of this id exists in a process. */
  readonly single: boolean
  readonly method:
    { readonly name: string; readonly accessor: 'get' | 'set' | undefined } | undefined
  readonly properties: readonly PropertyRecord[]
  readonly prototypeProperties: readonly PropertyRecord[]
  readonly prototypeParent: Ref | undefined
  readonly parent: Ref | undefined
}

export interface ObjectRecord {
  readonly k: 'object'
  readonly shape: 'object' | 'array' | 'map' | 'set' | 'error' | 'whole'
  /** For arrays. */
  readonly length: number
  /** For what v8.serialize copies, before prototype and properties are put on. */
  readonly whole: unknown
  readonly prototype: Ref | undefined
  readonly entries: readonly (readonly [Ref, Ref])[]
  readonly properties: readonly PropertyRecord[]
  readonly integrity: 'frozen' | 'sealed' | 'fixed' | undefined
}

export type ClosureNode =
  | FunctionRecord
  | ObjectRecord
  | { readonly k: 'data'; readonly v: unknown }
  | {
      readonly k: 'symbol'
      readonly registered: string | undefined
      readonly wellKnown: string | undefined
      readonly description: string | undefined
    }
  | { readonly k: 'intrinsic'; readonly path: IntrinsicPath }
  | { readonly k: 'builtin'; readonly at: BuiltinName }
  | { readonly k: 'import'; readonly from: ImportReference }
  | { readonly k: 'require'; readonly parent: string }
  | { readonly k: 'importer'; readonly parent: string }
  | { readonly k: 'meta'; readonly url: string }
  | { readonly k: 'attachment'; readonly index: number }
  | { readonly k: 'construct'; readonly path: IntrinsicPath; readonly args: readonly unknown[] }
  | { readonly k: 'prototype'; readonly of: Ref }
  | { readonly k: 'bound'; readonly target: Ref; readonly self: Ref; readonly args: readonly Ref[] }
  | { readonly k: 'cell'; readonly value: Ref }

export interface ClosureTable {
  readonly root: Ref
  readonly nodes: readonly ClosureNode[]
  readonly units: readonly Unit[]
}
