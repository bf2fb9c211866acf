// The door of the serialiser: the size limit, and the name of what broke it.

import v8 from 'node:v8'
import { SerializationError } from '../base/errors.js'
import { functionBytesMax } from '../base/limits.js'
import { ClosureGraph, type ClosureHooks } from './graph.js'
import type { Ref } from './nodes.js'

export interface SerializedClosure {
  readonly bytes: Uint8Array
  /** Values that `isAttachment` claimed, by the number that stands for them in the bytes. */
  readonly attachments: readonly object[]
}

/**
 * Writes a function or class with all that it captures, as it is now. Throws SerializationError
 * naming the path to what cannot travel.
 */
export function serializeClosure(
  root: Function,
  name: string,
  hooks: ClosureHooks,
): SerializedClosure {
  const graph = new ClosureGraph(hooks)
  const table = graph.write(root, name)
  const rough = table.nodes.reduce(
    (sum, node) => sum + (node.k === 'data' ? quickSize(node.v) : 0),
    0,
  )
  if (rough > functionBytesMax) throw tooLarge(graph, name, rough)
  let bytes: Uint8Array
  try {
    bytes = v8.serialize(table)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SerializationError(`The captured data of ${name} cannot be serialised: ${why}`, {
      cause,
    })
  }
  if (bytes.byteLength > functionBytesMax) throw tooLarge(graph, name, bytes.byteLength)
  return { bytes, attachments: graph.attachments }
}

/** A lower bound that costs nothing, so that gigabytes are refused before they are copied. */
function quickSize(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (ArrayBuffer.isView(value)) return value.byteLength
  return value instanceof ArrayBuffer ? value.byteLength : 0
}

/** Rounded up, so that what is over a limit also reads so. */
const megabytes = (bytes: number): string => `${Math.ceil(bytes / (1024 * 1024))} MB`

function tooLarge(graph: ClosureGraph, name: string, bytes: number): SerializationError {
  let biggest = ''
  let most = -1
  for (const { variables } of graph.functions) {
    for (const [variable, { ref }] of variables) {
      const size = sizeOf(graph, ref)
      if (size > most) [biggest, most] = [variable, size]
    }
  }
  const culprit =
    biggest === '' ? '' : ` Its biggest captured variable is ${biggest} (${megabytes(most)}): put`
  const advice = `${culprit || ' Put'} the captured value with ray.put and pass the ref instead.`
  const sizes = `${megabytes(bytes)} > ${megabytes(functionBytesMax)}`
  return new SerializationError(`The remote function ${name} is too large (${sizes}).${advice}`, {
    fields: { bytes, variable: biggest },
  })
}

function sizeOf(graph: ClosureGraph, ref: Ref): number {
  const node = '$' in ref ? graph.nodes[ref.$] : undefined
  const value: unknown = 'v' in ref ? ref.v : node?.k === 'data' ? node.v : undefined
  const quick = quickSize(value)
  if (quick > 0 || value === undefined) return quick
  try {
    return v8.serialize(value).byteLength
  } catch {
    // Too large even to measure.
    return Infinity
  }
}
