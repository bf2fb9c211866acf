// Reads and moves only the columns that later steps look at: walks from the last step to the source
// and notes what is needed of each dataset on the way. Where that is less than everything, a step
// that keeps just these columns goes before each exchange and behind the source. Columns that are
// computed and not looked at are not computed, unless a function of the user computes them.

import { columnsOfNode, isPure } from '../expression/node.js'
import { isExchange, type JoinSource } from '../logical/exchange-step.js'
import type { LogicalPlan, Source, Step } from '../logical/plan.js'

/** Names of columns; undefined for all. */
type Needed = ReadonlySet<string> | undefined

export function pruneColumns(plan: LogicalPlan): LogicalPlan {
  let needed: Needed
  const steps: Step[] = []
  for (const each of plan.steps.toReversed()) {
    const step = withoutUnread(each, needed)
    if (step === undefined) continue
    steps.unshift(step)
    needed = neededBefore(step, needed)
    if (isExchange(step)) steps.unshift(...keepStep(needed))
  }
  // Two of them in a row, or one before a selection, would say the same twice.
  const [first] = steps
  const isSaid = first?.kind === 'select' || first?.kind === 'keep'
  const source = pruneSource(plan.source, needed)
  const atSource = isSaid || source !== plan.source ? [] : keepStep(needed)
  return { source, steps: [...atSource, ...steps] }
}

function keepStep(needed: Needed): readonly Step[] {
  // Without any column, rows could not even be counted.
  if (needed === undefined || needed.size === 0) return []
  return [{ kind: 'keep', columns: [...needed] }]
}

/** The step without what it computes for nobody; undefined if nothing is left of it. */
function withoutUnread(step: Step, needed: Needed): Step | undefined {
  if (step.kind !== 'project' || !step.keepsOthers || needed === undefined) return step
  const outputs = step.outputs.filter(({ name, value }) => needed.has(name) || !isPure(value))
  if (outputs.length === step.outputs.length) return step
  return outputs.length === 0 ? undefined : { ...step, outputs }
}

function add(needed: Needed, names: readonly string[]): Needed {
  return needed && new Set([...needed, ...names])
}

/** What a step needs of the rows that it is given, for what is needed of those that it gives. */
function neededBefore(step: Step, needed: Needed): Needed {
  switch (step.kind) {
    case 'count':
      return new Set()
    case 'where':
      return add(needed, columnsOfNode(step.predicate))
    case 'project': {
      const read = columnsOfNode(...step.outputs.map(({ value }) => value))
      if (!step.keepsOthers) return new Set(read)
      const made = new Set(step.outputs.map(({ name }) => name))
      return needed && new Set([...[...needed].filter((name) => !made.has(name)), ...read])
    }
    case 'select':
      return new Set(step.columns)
    case 'keep':
      return needed ?? new Set(step.columns)
    case 'sort':
      return add(needed, columnsOfNode(...step.keys.map(({ value }) => value)))
    case 'repartition':
      return step.by === 'keys' ? add(needed, step.keys) : needed
    case 'aggregate': {
      if (step.aggregates.some(({ kind }) => kind === 'custom')) return undefined
      const nodes = step.aggregates.map((spec) => (spec.kind === 'custom' ? undefined : spec.value))
      return new Set([...step.keys, ...columnsOfNode(...nodes.flatMap((node) => node ?? []))])
    }
    case 'limit':
    case 'sample':
    case 'shuffle':
    case 'block-order':
      return needed
    default:
      // A function of the user may look at anything.
      return undefined
  }
}

/** The source with narrower inputs, where it has inputs. */
function pruneSource(source: Source, needed: Needed): Source {
  const keep = keepStep(needed)
  if (keep.length === 0) return source
  switch (source.kind) {
    case 'union': {
      const inputs = source.inputs.map((input) => ({ ...input, steps: [...input.steps, ...keep] }))
      return { ...source, inputs }
    }
    case 'join':
      return pruneJoin(source, needed)
    default:
      return source
  }
}

/** A name may be one of either side, with or without its suffix. */
function pruneJoin(source: JoinSource, needed: Needed): JoinSource {
  const { on, leftSuffix, rightSuffix } = source.spec
  const names = new Set(needed)
  for (const name of needed ?? []) {
    for (const suffix of [leftSuffix, rightSuffix]) {
      if (suffix !== undefined && name.endsWith(suffix)) {
        names.add(name.slice(0, name.length - suffix.length))
      }
    }
  }
  const sides = [source.left, source.right].map((side, i): LogicalPlan => {
    const columns = [...new Set([...names, ...on.map((pair) => pair[i] ?? '')])]
    return { ...side, steps: [...side.steps, { kind: 'keep', columns }] }
  })
  const [left = source.left, right = source.right] = sides
  return { ...source, left, right }
}
