// The GPUs of this machine: how many, and of which type.

import { readdirSync, readFileSync } from 'node:fs'
import { SessionError } from '../base/errors.js'

const folder = '/proc/driver/nvidia/gpus'

/**
 * How many GPUs the node has: as many as asked for, else those that the driver of the machine shows
 * and CUDA_VISIBLE_DEVICES does not hide.
 */
export function gpuCount(asked: number | undefined): number {
  const visible = visibleGpus()
  if (asked === undefined) return visible?.length ?? readGpus().length
  if (visible !== undefined && asked > visible.length) {
    throw new SessionError(
      `numGpus is ${asked}, but CUDA_VISIBLE_DEVICES shows ${visible.length} (` +
        `'${visible.join(',')}'). Ask for less, or show more.`,
    )
  }
  return asked
}

function visibleGpus(): string[] | undefined {
  return process.env['CUDA_VISIBLE_DEVICES']
    ?.split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '')
}

function readGpus(): string[] {
  try {
    return readdirSync(folder)
  } catch {
    // No driver, no GPUs.
    return []
  }
}

/** The type of the machine's GPUs, such as `A100`; undefined when there is none. */
export function acceleratorType(): string | undefined {
  const [first] = readGpus()
  if (first === undefined) return undefined
  try {
    const text = readFileSync(`${folder}/${first}/information`, 'utf8')
    return typeOfModel(/^Model:\s*(.+)$/m.exec(text)?.[1] ?? '')
  } catch {
    // A driver that does not tell.
    return undefined
  }
}

/** `NVIDIA A100-SXM4-40GB` and `Tesla V100-PCIE-16GB` are `A100` and `V100`, as Ray calls them. */
export function typeOfModel(model: string): string | undefined {
  const words = model.replace(/^(NVIDIA|Tesla)\s+/, '').replace(/^(Tesla|GeForce)\s+/, '')
  return /^[\w]+/.exec(words)?.[0]
}
