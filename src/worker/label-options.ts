// The options `labelSelector` and `fallbackStrategy`: which labels the node must have.

import { selectorProblem, type LabelSelector } from '../scheduling/label-policy.js'

export interface LabelOptions {
  /**
   * Labels that the node must have: `{ region: 'eu', zone: 'in(a,b)', spot: '!exists' }`. A value
   * is that value, `!value`, `in(..)`, `!in(..)`, `exists` or `!exists`.
   */
  readonly labelSelector?: LabelSelector
  /** What to settle for, in this order, when no node ever has what `labelSelector` asks for. */
  readonly fallbackStrategy?: readonly { readonly labelSelector: LabelSelector }[]
}

/** The alternatives, the most wanted first; undefined when no labels are asked for. */
export function labelsOf(options: LabelOptions): readonly LabelSelector[] | undefined {
  const { labelSelector, fallbackStrategy } = options
  if (labelSelector === undefined && fallbackStrategy === undefined) return undefined
  const first = labelSelector === undefined ? {} : labelSelector
  check('labelSelector', first)
  if (fallbackStrategy === undefined) return Object.keys(first).length === 0 ? undefined : [first]
  if (!Array.isArray(fallbackStrategy)) {
    throw new TypeError(
      "The option 'fallbackStrategy' must be an array such as [{ labelSelector: { zone: 'a' } }].",
    )
  }
  const rest = fallbackStrategy.map((fallback: unknown, index) => {
    const name = `fallbackStrategy[${index}]`
    const keys = typeof fallback === 'object' && fallback !== null ? Object.keys(fallback) : []
    if (keys.length !== 1 || keys[0] !== 'labelSelector') {
      throw new TypeError(`The option '${name}' must be an object with a labelSelector only.`)
    }
    const { labelSelector: selector } = fallback as { labelSelector: LabelSelector }
    check(`${name}.labelSelector`, selector)
    return selector
  })
  return [first, ...rest]
}

function check(option: string, selector: unknown): void {
  const problem = selectorProblem(selector)
  if (problem !== undefined) throw new TypeError(`The option '${option}' is wrong: ${problem}.`)
}
