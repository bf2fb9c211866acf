// Tasks start tasks: a parallel merge sort that splits itself until the parts are small. A task
// that waits for its parts lends its CPU to them.
import * as ray from 'typeray'

function merge(left: number[], right: number[]): number[] {
  const merged: number[] = []
  let i = 0
  let j = 0
  while (i < left.length && j < right.length) {
    const [a = 0, b = 0] = [left[i], right[j]]
    merged.push(a <= b ? a : b)
    if (a <= b) i++
    else j++
  }
  return [...merged, ...left.slice(i), ...right.slice(j)]
}

const sort = ray.remote(async function sortNumbers(numbers: number[]): Promise<number[]> {
  if (numbers.length <= 2500) return numbers.toSorted((a, b) => a - b)
  const middle = numbers.length >> 1
  const again = ray.remote(sortNumbers)
  const parts = [again.remote(numbers.slice(0, middle)), again.remote(numbers.slice(middle))]
  const [left = [], right = []] = await ray.get(parts)
  return merge(left, right)
})

const shuffled = Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 10_000)
const sorted = await ray.get(sort.remote(shuffled))
console.log(
  sorted.length,
  sorted.slice(0, 5),
  sorted.every((value, i) => value === i),
)
