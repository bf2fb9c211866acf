// Makes one array of the parts of all ranks.
//
// WebAssembly adds sixteen bytes at a time, but only in memory of its own. Two pieces of it, each
// as large as a chunk, stay in the cache, where copying costs a fifteenth of what reading an array
// from main memory does. And what a loop of JavaScript takes depends on what it has seen before;
// this does not. Where there is no instruction for an operation, or no WebAssembly, loops do it.

import type { ArrayKind, NumericArray, ReduceOp } from './kernels.js'
import { chunkBytes } from './segment.js'
import { vectorModule, vectorStepBytes } from './vector-module.js'

/**
 * Combines `first` and `others`, in this order, and writes the outcome to each of `into`, one of
 * which may be `first`. All have one length, of a chunk at most.
 */
export type Combiner = (
  first: NumericArray,
  others: readonly NumericArray[],
  into: readonly NumericArray[],
) => void

const pageBytes = 65_536
/** The places of the two pieces. */
const toAt = 0
const fromAt = chunkBytes

type VectorLoop = (to: number, from: number, end: number) => void

/** What is used of `WebAssembly`, which only the types of browsers describe. Node may lack it. */
interface Engine {
  validate(bytes: Uint8Array): boolean
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { exports: { f: VectorLoop } }
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer }
}
const { WebAssembly: engine } = globalThis as { readonly WebAssembly?: Engine }

let memory: InstanceType<Engine['Memory']> | undefined
const combiners = new Map<string, Combiner>()

/** The combiner of a kind of array and an operation; kept, because it takes a compilation. */
export function combinerOf(kind: ArrayKind, op: ReduceOp): Combiner {
  const key = `${kind.name} ${op}`
  let combiner = combiners.get(key)
  if (combiner === undefined) {
    combiner = vectorCombiner(kind, op) ?? loopCombiner(kind, op)
    combiners.set(key, combiner)
  }
  return combiner
}

/** Undefined: there is no such instruction, or no WebAssembly with vectors in this process. */
export function vectorCombiner(kind: ArrayKind, op: ReduceOp): Combiner | undefined {
  const operation = kind.vectorOperation(op)
  if (operation === undefined || engine === undefined) return undefined
  const module = vectorModule(operation)
  if (!engine.validate(module)) return undefined
  memory ??= new engine.Memory({ initial: (2 * chunkBytes) / pageBytes })
  const { exports } = new engine.Instance(new engine.Module(module), {
    m: { m: memory },
  })
  const loop = exports.f
  const size = chunkBytes / kind.bytes
  const to = kind.view(memory.buffer, toAt, size)
  const from = kind.view(memory.buffer, fromAt, size)
  return (first, others, into) => {
    const { length } = first
    const end = Math.ceil((length * kind.bytes) / vectorStepBytes) * vectorStepBytes
    copy(to, first)
    for (const other of others) {
      copy(from, other)
      if (end > 0) loop(toAt, fromAt, end)
    }
    const outcome = to.subarray(0, length)
    for (const each of into) copy(each, outcome)
  }
}

/** Two arrays are written in one loop, which is all that is ever needed. */
export function loopCombiner(kind: ArrayKind, op: ReduceOp): Combiner {
  const kernel = kind.kernel(op)
  return (first, others, into) => {
    const [out, keep] = into
    if (out === undefined) return
    let so = first
    others.forEach((other, i) => {
      kernel(out, (i === others.length - 1 ? keep : undefined) ?? out, so, other)
      so = out
    })
    if (others.length === 0) for (const each of into) copy(each, first)
  }
}

/** The two are of one kind, which the compiler cannot know. */
function copy(to: NumericArray, from: NumericArray): void {
  ;(to as Uint8Array).set(from as Uint8Array)
}
