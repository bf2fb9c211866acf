// Plans as text: what was asked for, what the rules made of it, and what runs.

import type { FileCount } from './datasource/files.js'
import { textOfNode } from './expression/text.js'
import {
  inputsOf,
  type LogicalPlan,
  type Source,
  sourceName,
  type Step,
  stepName,
} from './logical/plan.js'
import type { JoinOperator } from './physical/exchange-operators.js'
import type { PhysicalPlan } from './physical/operators.js'

/** The stages of a plan. */
export interface ExplainedPlan {
  readonly logical: LogicalPlan
  readonly optimized: LogicalPlan
  readonly physical: PhysicalPlan
}

export function explainPlan({ logical, optimized, physical }: ExplainedPlan): string {
  return [
    'Logical plan',
    ...indented(logicalLines(logical)),
    'Optimized plan',
    ...indented(logicalLines(optimized)),
    'Physical plan',
    ...indented(physicalLines(physical)),
  ].join('\n')
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}

/** One line per step, the source first; inputs of a source are indented below it. */
function logicalLines({ source, steps }: LogicalPlan): readonly string[] {
  const inputs = inputsOf(source).flatMap((input) => indented(logicalLines(input)))
  return [sourceText(source), ...inputs, ...steps.flatMap(stepLines)]
}

function sourceText(source: Source): string {
  if (source.kind !== 'files') return sourceName(source)
  const facts = [
    ...(source.columns === undefined ? [] : [`columns ${source.columns.join(', ')}`]),
    ...(Number.isFinite(source.limit) ? [`rows ${source.limit}`] : []),
    ...(source.predicate === undefined ? [] : [`where ${textOfNode(source.predicate)}`]),
  ]
  const paths = source.paths.join(', ')
  return [`${sourceName(source)}(${paths})`, ...facts].join('; ')
}

function stepLines(step: Step): readonly string[] {
  return step.kind === 'fused' ? step.steps.map(stepName) : [stepName(step)]
}

function physicalLines({ source, operators }: PhysicalPlan): readonly string[] {
  return [...physicalSource(source), ...operators.map(operatorText)]
}

function physicalSource(source: PhysicalPlan['source']): readonly string[] {
  switch (source.kind) {
    case 'source':
      return [
        `${count(source.inputs.length, 'task')}: ${source.name}${partsText(source)}` +
          filesText(source.files),
      ]
    case 'blocks':
      return [`${count(source.bundles.length, 'block')} in memory`]
    case 'union':
      return ['union', ...source.inputs.flatMap((input) => indented(physicalLines(input)))]
    case 'zip':
    case 'join': {
      const sides = [source.left, source.right].flatMap((side) => indented(physicalLines(side)))
      const tasks = source.kind === 'join' ? joinText(source) : 'a task per left block'
      return [`${tasks}: ${source.name}`, ...sides]
    }
  }
}

function filesText(files: FileCount | undefined): string {
  return files === undefined ? '' : `; ${files.read} of ${count(files.found, 'file')}`
}

function joinText({ count: parts, small }: JoinOperator): string {
  const cut = `${count(parts, 'task')}, each side cut by hash`
  if (small === undefined) return cut
  const [one, other] = small === 0 ? ['left', 'right'] : ['right', 'left']
  return `a task per ${other} block if the ${one} side is small, or ${cut}`
}

function operatorText(operator: PhysicalPlan['operators'][number]): string {
  switch (operator.kind) {
    case 'map': {
      const { pool } = operator.resources
      const where = pool === undefined ? 'a task per block' : `${pool.min} to ${pool.max} actors`
      return `${where}: ${operator.name}${partsText(operator)}`
    }
    case 'limit':
      return operator.name
    case 'exchange':
      return `exchange by ${operator.exchange.kind}: ${operator.name}`
  }
}

function partsText({ transforms }: { readonly transforms: readonly { kind: string }[] }): string {
  const last = transforms.at(-1)
  if (last?.kind === 'partition') return ' -> partition'
  return last?.kind === 'partial-aggregate' ? ' -> aggregate per block' : ''
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
