// Which nodes have the labels that somebody asks for.
//
// A selector maps the key of a label to what its value must be, in Ray's words: `eu` (that value),
// `!eu` (any other, or no such label), `in(a,b)`, `!in(a,b)`, `exists`, `!exists`. Several
// selectors are alternatives in order of preference: the first that any node could ever serve is
// the one that counts, whether that node is full or not.

import { feasibleNodes, type NodeView } from './node-view.js'
import type { Amounts } from './resource-amounts.js'

export type Labels = Readonly<Record<string, string>>
export type LabelSelector = Readonly<Record<string, string>>

const keyPattern =
  /^([a-zA-Z0-9]([-.a-zA-Z0-9]*[a-zA-Z0-9])?\/)?[a-zA-Z0-9]([-\w.]{0,61}[a-zA-Z0-9])?$/
const valuePattern = /^([a-zA-Z0-9]([-\w.]{0,61}[a-zA-Z0-9])?)?$/
const termPattern = /^(!?)(?:in\(([^()]*)\)|(exists)(?:\(\))?|([^()!]*))$/

interface Term {
  readonly isNegated: boolean
  /** Undefined: any value will do. */
  readonly values: readonly string[] | undefined
}

function parseTerm(text: string): Term | undefined {
  const match = termPattern.exec(text)
  if (match === null) return undefined
  const [, not, list, exists, value] = match
  const isNegated = not === '!'
  if (exists !== undefined) return { isNegated, values: undefined }
  const values = list === undefined ? [value ?? ''] : list.split(',').map((each) => each.trim())
  return values.every((each) => valuePattern.test(each)) ? { isNegated, values } : undefined
}

/** Says what is wrong with the key or value of a label, if anything. */
export function labelProblem(key: string, value: unknown): string | undefined {
  if (!keyPattern.test(key)) return `'${key}' cannot be the key of a label`
  if (typeof value !== 'string' || !valuePattern.test(value)) {
    return `the value of label '${key}' must be up to 63 letters, digits, '-', '_' or '.'`
  }
  return undefined
}

/** Says what is wrong with a selector, if anything. */
export function selectorProblem(selector: unknown): string | undefined {
  if (typeof selector !== 'object' || selector === null || Array.isArray(selector)) {
    return "it must be an object such as { region: 'eu', zone: 'in(a,b)' }"
  }
  for (const [key, text] of Object.entries(selector)) {
    if (!keyPattern.test(key)) return `'${key}' cannot be the key of a label`
    if (typeof text !== 'string' || parseTerm(text) === undefined) {
      return (
        `what it asks of '${key}' must be 'value', '!value', 'in(a,b)', '!in(a,b)', 'exists' or ` +
        `'!exists'`
      )
    }
  }
  return undefined
}

export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  for (const key of Object.keys(selector)) {
    const term = parseTerm(selector[key] ?? '')
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined
    const isMet = value !== undefined && (term?.values === undefined || term.values.includes(value))
    if (isMet === (term?.isNegated ?? false)) return false
  }
  return true
}

/** The nodes to choose from: those of the first selector that any node could ever serve. */
export function labelPolicy(
  nodes: readonly NodeView[],
  demand: Amounts,
  selectors: readonly LabelSelector[],
): readonly NodeView[] {
  if (selectors.length === 0) return nodes
  for (const selector of selectors) {
    const matching = nodes.filter((node) => matchesLabels(selector, node.labels))
    if (feasibleNodes(matching, demand).length > 0) return matching
  }
  return []
}

/** For messages: `{ region: eu } or { zone: in(a,b) }`. */
export function formatSelectors(selectors: readonly LabelSelector[]): string {
  return selectors.map(formatLabels).join(' or ')
}

/** For messages: `{ region: eu, zone: a }`. */
function formatLabels(labels: Labels): string {
  const parts = Object.keys(labels)
    .sort()
    .map((key) => `${key}: ${labels[key]}`)
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`
}

/** For messages: why no node will do. */
export function whyNoLabels(
  nodes: readonly NodeView[],
  selectors: readonly LabelSelector[],
): string | undefined {
  const alive = nodes.filter((node) => node.alive)
  if (selectors.length === 0) return undefined
  if (alive.some((node) => selectors.some((each) => matchesLabels(each, node.labels)))) {
    return undefined
  }
  const kinds = [...new Set(alive.map((node) => formatLabels(node.labels)))]
  const shown = kinds.slice(0, labelsShownMax).join(' ')
  const rest = kinds.length > labelsShownMax ? ` and ${kinds.length - labelsShownMax} others` : ''
  return `it needs a node with labels ${formatSelectors(selectors)}, and there are ${shown}${rest}`
}

const labelsShownMax = 5
