// Fetches items before they are asked for, so that the next block travels while this one is used.

/** The items of `source`, with up to `count` more of them under way. */
export async function* prefetched<T>(
  source: AsyncGenerator<T, void, void>,
  count: number,
): AsyncGenerator<T, void, void> {
  // A generator takes requests in advance and answers them in turn.
  const requests: Promise<IteratorResult<T, void>>[] = []
  try {
    for (;;) {
      while (requests.length <= count) requests.push(request(source))
      const next = await requests.shift()
      if (next === undefined || next.done === true) return
      yield next.value
    }
  } finally {
    await source.return()
  }
}

function request<T>(source: AsyncGenerator<T, void, void>): Promise<IteratorResult<T, void>> {
  const next = source.next()
  // A request that nobody comes to wait for may fail unnoticed.
  next.catch(() => undefined)
  return next
}
