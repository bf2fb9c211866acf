// Where in a value the encoder is, for error messages: `value.a[3].sock`.
//
// The encoder notes one step per level as it goes, which costs a store or two; text is made only
// for an error.

import { SerializationError } from '../base/errors.js'

export type StepKind = 'property' | 'mapKey' | 'mapValue' | 'item'

/** Steps printed at each end of a very long path. */
const stepsShown = 12
const pathLengthMax = 1000
const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u

export class ValuePath {
  private depth = 0
  private readonly kinds: StepKind[] = []
  private readonly keys: unknown[] = []
  /**
   * Text of the place where the steps begin: the value's name, or the place of an object that was
   * put off.
   */
  private root: string

  constructor(name: string) {
    this.root = name
  }

  enter(): void {
    this.depth++
  }

  leave(): void {
    this.depth--
  }

  get levels(): number {
    return this.depth
  }

  /** Says which part of the innermost object comes next. */
  step(kind: StepKind, key: unknown): void {
    this.kinds[this.depth - 1] = kind
    this.keys[this.depth - 1] = key
  }

  /** Starts again at a place that `toString` gave. */
  restart(root: string): void {
    this.root = root
    this.depth = 0
  }

  toString(): string {
    const steps: string[] = []
    for (let i = 0; i < this.depth; i++) steps.push(stepText(this.kinds[i]!, this.keys[i]))
    return shorten(this.root, steps)
  }

  refuse(problem: string): SerializationError {
    const path = this.toString()
    return new SerializationError(`${path} ${problem}`, { fields: { path } })
  }
}

function stepText(kind: StepKind, key: unknown): string {
  if (kind === 'mapKey') return `.keys()[${String(key)}]`
  if (kind === 'mapValue') return `.get(${briefly(key)})`
  if (kind === 'item') return `.values()[${String(key)}]`
  if (typeof key === 'symbol') return `[${String(key)}]`
  const name = String(key)
  if (/^(0|[1-9]\d*)$/.test(name)) return `[${name}]`
  return identifier.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

function briefly(key: unknown): string {
  if (typeof key === 'string') return JSON.stringify(key)
  return typeof key === 'object' || typeof key === 'function' ? '...' : String(key)
}

function shorten(root: string, steps: readonly string[]): string {
  const shown =
    steps.length <= 2 * stepsShown
      ? steps
      : [...steps.slice(0, stepsShown), '...', ...steps.slice(-stepsShown)]
  const path = root + shown.join('')
  const half = pathLengthMax / 2
  return path.length <= pathLengthMax ? path : `${path.slice(0, half)}...${path.slice(-half)}`
}
