// `put` stores a value once in shared memory; tasks of the node read it where it is, without a
// copy.
import * as ray from 'typeray'

const matrix = new Float64Array(1_000_000).map((_, i) => i % 10)
const stored = ray.put(matrix)

const sum = ray.remote((values: Float64Array, start: number, end: number) => {
  let total = 0
  for (let i = start; i < end; i++) total += values[i] ?? 0
  return total
})

const quarters = [0, 1, 2, 3].map((q) => sum.remote(stored, q * 250_000, (q + 1) * 250_000))
const sums = await ray.get(quarters)
console.log(
  sums,
  sums.reduce((a, b) => a + b),
) // [ 1125000, 1125000, 1125000, 1125000 ] 4500000
