// Which files are looked at to learn what all of them hold.

/** All items, or `max` of them evenly from the first to the last. */
export function samplesOf<T>(
  items: readonly T[],
  max: number,
): { readonly samples: readonly T[]; readonly isAll: boolean } {
  if (items.length <= max) return { samples: items, isAll: true }
  const step = (items.length - 1) / (max - 1)
  const samples = Array.from({ length: max }, (_, i) => items[Math.round(i * step)])
  return { samples: samples.filter((item) => item !== undefined), isAll: false }
}
