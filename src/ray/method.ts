import { type MethodDefaults, methodDecorator } from '../worker/index.js'

/** `numReturns` shapes the types of a handle, which a decorator cannot change. */
export type DecoratedOptions = Omit<MethodDefaults, 'numReturns'>

/**
 * A decorator that gives a method of an actor its options. Where decorators are not at hand, and
 * for `numReturns`, the option `methods` of the class does the same.
 *
 * @example
 * ```ts
 * class Crawler {
 *   @ray.method({ concurrencyGroup: 'io', maxTaskRetries: 2 })
 *   async fetch(url: string) {
 *     return (await fetch(url)).text()
 *   }
 * }
 * const Remote = ray.remote({ concurrencyGroups: { io: 4 } }, Crawler)
 * ```
 *
 * @throws TypeError for an option that is unknown, naming it.
 */
export function method(
  options: DecoratedOptions,
): <F extends (...args: never[]) => unknown>(target: F, context?: unknown) => void {
  return methodDecorator(options)
}
