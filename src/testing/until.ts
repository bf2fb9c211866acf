import { inspect } from 'node:util'

/** How long, and for what, `until` waits. */
export interface UntilOptions {
  /** How long to try, in milliseconds; a minute by default. */
  readonly timeoutMs?: number
  /** What is waited for, for the error message. */
  readonly what?: string
}

const pauseMs = 10

/**
 * Waits until `condition` returns something true, and returns that. For tests: it asks again and
 * again instead of sleeping for a time that is always too short or too long.
 *
 * @example
 * await until(async () => (await ray.nodes()).length === 1, { what: 'one node' })
 *
 * @throws Error with the last answer when the time is up.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<NonNullable<T>> {
  const timeoutMs = options.timeoutMs ?? 60_000
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await condition()
    if (answer) return answer
    if (performance.now() > deadline) {
      const what = options.what ?? String(condition)
      throw new Error(`Not so within ${timeoutMs} ms: ${what}; last: ${inspect(answer)}.`)
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
