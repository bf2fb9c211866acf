// Which GPUs this worker may use.
//
// The raylet numbers the GPUs of a node from 0. Where the node itself was started with a list of
// visible GPUs, number n stands for the nth of that list. Libraries read CUDA_VISIBLE_DEVICES when
// they initialise a GPU, so it is set before the first task with GPUs runs; workers that had one
// are never used for tasks without.

import type { Resources } from '../wire/messages/terms.js'

const variable = 'CUDA_VISIBLE_DEVICES'

/** As this process was started; undefined when all are visible. */
const visible = process.env[variable]
  ?.split(',')
  .map((id) => id.trim())
  .filter((id) => id !== '')

/** What libraries call the GPUs of these numbers: numbers, or names such as `GPU-8932f937`. */
export function gpuIdsOf(numbers: readonly number[]): (number | string)[] {
  return numbers.map((number) => {
    const id = visible?.[number] ?? String(number)
    return /^\d+$/.test(id) ? Number(id) : id
  })
}

/** Lets the libraries of this process see these GPUs and no others. */
export function showGpus(numbers: readonly number[], node: Resources): void {
  if ((node['GPU'] ?? 0) > 0) process.env[variable] = gpuIdsOf(numbers).join(',')
}
