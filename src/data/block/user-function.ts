// Functions of the user that work on blocks, and what running them needs.

/** Actors of a step: between `min` and `max` of them, growing while all are busy. */
export interface PoolSize {
  readonly min: number
  readonly max: number
}

/** Errors of a user's function after which it is tried again: any, or some classes. */
export type RetriedErrors = boolean | readonly (abstract new (...args: never[]) => unknown)[]

/** The function, and what it is called with beside the rows. */
export interface UserFunction {
  /** For errors and statistics. */
  readonly name: string
  /** A function, or a class whose instances have a method `call`. */
  readonly fn: (rows: never, ...args: never[]) => unknown
  readonly isClass?: boolean
  readonly constructorArgs?: readonly unknown[]
  /** Further arguments; a ref among them is resolved. */
  readonly args?: readonly unknown[]
  readonly retryExceptions?: RetriedErrors
}
