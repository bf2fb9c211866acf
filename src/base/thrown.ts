// Looks at what user code has thrown, which may be anything: the traps of a proxy and the getters
// of an error throw when they like. Nothing here throws, and no text is longer than can be sent.

const textCharsMax = 10_000

/** `instanceof` for what anybody may have thrown. */
export function isA<T>(thrown: unknown, type: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof type
  } catch {
    return false
  }
}

/** The message of an error, or the text of anything else. */
export function messageOf(thrown: unknown): string {
  try {
    return shortened(String(isA(thrown, Error) ? thrown.message : thrown))
  } catch {
    return unreadable
  }
}

/** What was thrown, in one line: the class and message of an error. */
export function describeThrown(thrown: unknown): string {
  try {
    if (isA(thrown, Error)) return shortened(`${nameOf(thrown)}: ${thrown.message}`)
    if (typeof thrown === 'string') return thrown
    return shortened(`${JSON.stringify(thrown) ?? String(thrown)} (not an Error)`)
  } catch {
    return isA(thrown, Error)
      ? 'an Error that does not tell what it is'
      : 'a value that is not an Error'
  }
}

/** The stack of what was thrown, or what else it says of itself. */
export function stackOf(thrown: unknown): string {
  try {
    const stack = isA(thrown, Error) ? thrown.stack : undefined
    return shortened(String(stack ?? thrown))
  } catch {
    return unreadable
  }
}

/** Stands for what was thrown when that cannot travel: its name, message and stack. */
export function describeInPlace(thrown: unknown): unknown {
  try {
    if (!isA(thrown, Error)) return Object.prototype.toString.call(thrown)
    const copy = new Error(shortened(String(thrown.message)))
    copy.name = shortened(String(thrown.name))
    copy.stack = stackOf(thrown)
    return copy
  } catch {
    return '[object Proxy]'
  }
}

const unreadable = 'a value that does not tell what it is'

export function shortened(text: string): string {
  return text.length <= textCharsMax ? text : `${text.slice(0, textCharsMax)}…`
}

/** Most classes of errors do not set `name`, and would all be called Error. */
function nameOf(error: Error): string {
  const className: unknown = error.constructor?.name
  const isPlain = error.name === 'Error' && typeof className === 'string' && className !== ''
  return isPlain ? className : error.name
}
