// The types that make `remote`, `get` and handles infer.

import type {
  ActorOptions,
  MethodOptions,
  ObjectRef,
  ObjectRefGenerator,
  TaskOptions,
} from '../worker/index.js'

/** Any function; `never[]` because only its parameters' types matter, not what we call it with. */
export type AnyFunction = (...args: never[]) => unknown
export type AnyClass = abstract new (...args: never[]) => object

/** Arguments of a remote call: each a value, or a ref of one. */
export type RefArguments<A extends readonly unknown[]> = {
  [K in keyof A]: A[K] | ObjectRef<Awaited<A[K]>>
}

type Yielded<R> =
  Awaited<R> extends AsyncIterable<infer T> ? T : Awaited<R> extends Iterable<infer T> ? T : unknown

type SeveralRefs<R> = R extends readonly [unknown, ...unknown[]]
  ? { -readonly [K in keyof R]: ObjectRef<Awaited<R[K]>> }
  : R extends readonly (infer T)[]
    ? ObjectRef<Awaited<T>>[]
    : ObjectRef[]

/** What a call returns at once, by its `numReturns`. */
export type Submitted<R, N> = N extends 'streaming'
  ? ObjectRefGenerator<Yielded<R>>
  : N extends 0
    ? undefined
    : N extends 1 | undefined
      ? ObjectRef<Awaited<R>>
      : SeveralRefs<Awaited<R>>

type NumReturns<O> = O extends { readonly numReturns: infer N } ? N : undefined

/** A function that runs as tasks. */
export interface RemoteFunction<A extends readonly unknown[], R, N = undefined> {
  /** Runs the function in a worker. Returns a ref of its result at once. */
  remote(...args: RefArguments<A>): Submitted<R, N>
  /**
   * The same function with other options. Throws TypeError for an option that is unknown or not
   * built.
   */
  options<const O extends TaskOptions>(
    options: O,
  ): RemoteFunction<A, R, 'numReturns' extends keyof O ? NumReturns<O> : N>
}

/** A method of an actor, as its handle shows it. */
export interface RemoteMethod<A extends readonly unknown[], R, N = undefined> {
  /** Calls the method. Returns a ref of its result at once. */
  remote(...args: RefArguments<A>): Submitted<R, N>
  /**
   * The same method with other options. Throws TypeError for an option that is unknown or not
   * built.
   */
  options<const O extends MethodOptions>(
    options: O,
  ): RemoteMethod<A, R, 'numReturns' extends keyof O ? NumReturns<O> : N>
}

/** Methods that every actor has beside those of its class. */
export interface BuiltInMethods {
  /** Ready when the actor has started: for `ray.get` and `ray.wait`. */
  readonly __ray_ready__: RemoteMethod<[], true>
  /**
   * Ends the actor when the calls before it have run. Calls behind it fail with ActorDiedError, and
   * so does this one.
   */
  readonly __ray_terminate__: RemoteMethod<[], never>
}

/** Names of the methods of an instance. */
type MethodName<T> = { [K in keyof T]: T[K] extends AnyFunction ? K : never }[keyof T]

/**
 * A reference to an actor; its methods are called with `.remote()`. `M`: the option `methods` of
 * its class.
 */
export type ActorHandle<T, M = unknown> = {
  readonly [K in keyof T as T[K] extends AnyFunction ? K : never]: T[K] extends (
    ...args: infer A extends readonly unknown[]
  ) => infer R
    ? RemoteMethod<A, R, K extends keyof M ? NumReturns<M[K]> : undefined>
    : never
} & BuiltInMethods &
  AsyncDisposable

/** The options of methods that the options of a class give, over those it had. */
export type MethodsOf<O, M = unknown> = O extends { readonly methods: infer N }
  ? Omit<M, keyof N> & N
  : M

/**
 * What must hold of the option `methods`: each is a method of the class, each group is declared.
 */
export type CheckedMethods<T, O> = O extends { readonly methods: infer N }
  ? {
      readonly methods: {
        [K in keyof N]: K extends MethodName<T>
          ? N[K] extends { readonly concurrencyGroup: infer G }
            ? { readonly concurrencyGroup: G extends GroupOf<O> ? G : GroupOf<O> }
            : unknown
          : never
      }
    }
  : unknown

type GroupOf<O> = O extends { readonly concurrencyGroups: infer G } ? keyof G : never

/** A class whose instances are actors. */
export interface ActorClass<A extends readonly unknown[], T, M = unknown> {
  /**
   * Starts an actor. Returns its handle at once; a constructor that throws surfaces on the first
   * call.
   */
  remote(...args: RefArguments<A>): ActorHandle<T, M>
  /**
   * The same class with other options. Throws TypeError for an option that is unknown or not
   * built.
   */
  options<const O extends ActorOptions>(options: O): ActorClass<A, T, MethodsOf<O, M>>
}

/** The values of a list of refs, in a tuple for a tuple. */
export type Values<R extends readonly unknown[]> = {
  -readonly [K in keyof R]: R[K] extends ObjectRef<infer T> ? T : never
}
