// Makes transforms ready to be called: refs among their arguments become values, classes become
// instances. A task does so for itself; an actor once, and keeps its instances.

import * as ray from '../../ray/index.js'
import type { FunctionTransform, Transform } from './operators.js'
import { operatorError } from './function-transforms.js'

export async function prepareTransforms(
  transforms: readonly Transform[],
): Promise<readonly Transform[]> {
  if (!transforms.some(needsPreparation)) return transforms
  return Promise.all(
    transforms.map(async (each) => (needsPreparation(each) ? prepare(each) : each)),
  )
}

function needsPreparation(transform: Transform): transform is FunctionTransform {
  if (!('fn' in transform) || transform.kind === 'report') return false
  return transform.isClass === true || transform.args !== undefined
}

async function prepare(transform: FunctionTransform): Promise<FunctionTransform> {
  const args = await resolved(transform.args)
  const call = transform.isClass === true ? await instanceCall(transform) : transform.fn
  const bound = call as (...all: unknown[]) => unknown
  const fn = args.length === 0 ? bound : (rows: unknown) => bound(rows, ...args)
  const { args: _args, ...rest } = transform
  return { ...rest, isClass: false, fn: fn as FunctionTransform['fn'] }
}

interface Callable {
  call?: (...args: unknown[]) => unknown
}

async function instanceCall(transform: FunctionTransform): Promise<FunctionTransform['fn']> {
  const Class = transform.fn as unknown as new (...args: unknown[]) => Callable
  const args = await resolved(transform.constructorArgs)
  const instance = construct(transform.name, () => new Class(...args))
  return ((...all: unknown[]) => instance.call?.(...all)) as FunctionTransform['fn']
}

function construct(name: string, make: () => Callable): Callable {
  try {
    const instance = make()
    if (typeof instance.call === 'function') return instance
    throw new TypeError('its instances need a method call(rows), and have none')
  } catch (error) {
    throw operatorError(`new ${name}()`, '', error)
  }
}

async function resolved(args: readonly unknown[] = []): Promise<readonly unknown[]> {
  return Promise.all(args.map((arg) => (arg instanceof ray.ObjectRef ? ray.get(arg) : arg)))
}
