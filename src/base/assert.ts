// Programmer errors. A failed assertion ends the process, in production too: a crashed worker or
// raylet is a case the system handles, a corrupt one is not.

/** Thrown when an invariant of Typeray itself is broken. Seeing one is a bug in Typeray. */
class AssertionError extends Error {
  override name = 'AssertionError'
}

export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new AssertionError(`typeray invariant broken: ${why}`)
}

/** Ends an exhaustive switch: the compiler refuses the call while a case is missing. */
export function assertNever(value: never): never {
  throw new AssertionError(`typeray invariant broken: unexpected ${JSON.stringify(value)}`)
}
