// Calls an asynchronous function for many items, some at once, and keeps their order.

/** Requests under way at once: enough to hide the latency of S3, few enough for any server. */
const atOnceMax = 16

/** When one call fails, no more are made; those that are under way are not waited for. */
export async function mapInOrder<T, Out>(
  items: readonly T[],
  fn: (item: T, index: number) => Promise<Out>,
): Promise<Out[]> {
  const results = new Array<Out>(items.length)
  let next = 0
  const run = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      try {
        results[index] = await fn(items[index] as T, index)
      } catch (error) {
        next = items.length
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, run))
  return results
}

/** Gives the results one by one; `ahead` of them are under way while one is worked on. */
export async function* streamInOrder<T, Out>(
  items: readonly T[],
  fn: (item: T) => Promise<Out>,
  ahead: number,
): AsyncGenerator<Out, void, void> {
  const started: Promise<Out>[] = []
  let next = 0
  const start = (): void => {
    const result = fn(items[next++] as T)
    // Whoever comes to it meets the failure; nobody does behind another one.
    result.catch(() => undefined)
    started.push(result)
  }
  while (next < items.length || started.length > 0) {
    while (started.length <= ahead && next < items.length) start()
    const first = started.shift()
    if (first !== undefined) yield await first
  }
}
