import {
  type ActorOptions,
  type AnyActorHandle,
  methodNames,
  RemoteClass,
  RemoteCode,
  RemoteFunction as Task,
  type TaskOptions,
  withMarks,
} from '../worker/index.js'
import { atCaller } from './at-caller.js'
import { requireSession } from './session.js'
import type {
  ActorClass,
  AnyClass,
  AnyFunction,
  CheckedMethods,
  MethodsOf,
  RemoteFunction,
} from './signatures.js'

type Remote<F, O = unknown> = F extends abstract new (
  ...args: infer A extends readonly unknown[]
) => infer T
  ? ActorClass<A, T, MethodsOf<O>>
  : F extends (...args: infer A extends readonly unknown[]) => infer R
    ? RemoteFunction<A, R>
    : never

type Instance<F> = F extends abstract new (...args: never[]) => infer T ? T : never

/** The same with the `numReturns` of options that come first. */
type RemoteWith<F, O> = F extends (...args: infer A extends readonly unknown[]) => infer R
  ? RemoteFunction<A, R, O extends { readonly numReturns: infer N } ? N : undefined>
  : never

/**
 * Makes a function run as tasks, or a class whose instances are actors.
 *
 * @example
 * const square = ray.remote((x: number) => x * x)
 * await ray.get(square.remote(4)) // 16
 *
 * @throws TypeError for an option that is unknown or not built, naming it.
 */
export function remote<F extends AnyClass | AnyFunction>(target: F): Remote<F>
export function remote<F extends AnyClass, const O extends ActorOptions>(
  options: O & CheckedMethods<Instance<F>, O>,
  target: F,
): Remote<F, O>
export function remote<F extends AnyFunction, const O extends TaskOptions>(
  options: O,
  target: F,
): RemoteWith<F, O>
export function remote(first: unknown, second?: unknown): unknown {
  if (typeof first === 'function' && second !== undefined) {
    throw new TypeError('ray.remote takes options first: ray.remote({ numCpus: 2 }, fn).')
  }
  const target = second ?? first
  const options = second === undefined ? {} : first
  if (typeof target !== 'function') {
    throw new TypeError(
      `ray.remote takes a function or a class, optionally after options; got ${typeof target}.`,
    )
  }
  if (target instanceof Task || target instanceof RemoteClass) {
    const { name } = target.remoteCode
    throw new TypeError(
      `${name} is remote already. Give it other options with ${name}.options({ ... }).`,
    )
  }
  return isClass(target)
    ? remoteClass(target as never, options as ActorOptions)
    : new SubmittingFunction(new RemoteCode(target.name, target), options as TaskOptions)
}

function remoteClass(
  type: { readonly prototype: object; readonly name: string } & CallableFunction,
  options: ActorOptions,
): StartingClass {
  const code = new RemoteCode(type.name, type as never)
  const names = methodNames(type)
  const methods = withMarks(type.prototype, names, options.methods)
  const how = { options: methods === undefined ? options : { ...options, methods } }
  return new StartingClass(code, names, how)
}

function isClass(target: CallableFunction): boolean {
  return /^class\b/.test(Function.prototype.toString.call(target)) || /^\s*@/.test(String(target))
}

/** A remote function at the surface: starts a session if there is none. */
class SubmittingFunction extends Task {
  override remote(...args: unknown[]): ReturnType<Task['remote']> {
    requireSession()
    try {
      return super.remote(...args)
    } catch (error) {
      throw atCaller(error, this.remote)
    }
  }

  override options(options: TaskOptions): SubmittingFunction {
    return new SubmittingFunction(this.remoteCode, { ...this.taskOptions, ...options })
  }
}

/** A remote class at the surface: starts a session if there is none. */
class StartingClass extends RemoteClass {
  override remote(...args: unknown[]): AnyActorHandle {
    requireSession()
    try {
      return super.remote(...args)
    } catch (error) {
      throw atCaller(error, this.remote)
    }
  }

  override options(options: ActorOptions): StartingClass {
    const { remoteCode, methods, inherited } = this
    return new StartingClass(remoteCode, methods, { options: this.with(options), inherited })
  }
}
