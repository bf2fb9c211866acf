// Finds CPUs for pools of actors.
//
// Actors keep their CPUs for as long as the pool lives. A pool that has all CPUs of the cluster
// starves the reads that it waits for: both wait for ever. So where a pool has all CPUs, the
// operators beside it run inside its actors; and where pools together leave no whole CPU to the
// tasks that remain, their actors reserve less than they were given, and the operating system
// shares the CPUs.

import { fillsBatches } from './plan-batches.js'
import { partsOf } from '../physical/exchange-transforms.js'
import type { MapOperator, PhysicalPlan, SourceOperator } from '../physical/operators.js'

type Part = PhysicalPlan['source'] | PhysicalPlan['operators'][number]
type Worker = SourceOperator | MapOperator

/** The smallest part of a CPU that can be asked for. */
const grainsPerCpu = 10_000

/** The whole plan, with the plans that its sources are made of: their pools live side by side. */
export function planPools(plan: PhysicalPlan, cpus: number): PhysicalPlan {
  if (!allParts(plan).some(isPool)) return plan
  const joined = mapPlans(plan, (parts) => joinParts(parts, cpus))
  const share = shareOf(allParts(joined), cpus)
  if (share === 1) return joined
  return mapPlans(joined, (parts) => parts.map((part) => shared(part, share)))
}

/** Everything that runs while the plan does. */
function allParts(plan: PhysicalPlan): readonly Part[] {
  return [plan.source, ...plan.operators, ...plansOf(plan.source).flatMap(allParts)]
}

function plansOf(source: PhysicalPlan['source']): readonly PhysicalPlan[] {
  if (source.kind === 'union') return source.inputs
  return source.kind === 'join' || source.kind === 'zip' ? [source.left, source.right] : []
}

/** The plan, and those that its source is made of, each with other parts. */
function mapPlans(
  plan: PhysicalPlan,
  change: (parts: readonly Part[]) => readonly Part[],
): PhysicalPlan {
  const [source, ...operators] = change([plan.source, ...plan.operators]) as [
    PhysicalPlan['source'],
    ...PhysicalPlan['operators'],
  ]
  switch (source.kind) {
    case 'union': {
      const inputs = source.inputs.map((input) => mapPlans(input, change))
      return { source: { ...source, inputs }, operators }
    }
    case 'join':
    case 'zip': {
      const [left, right] = [mapPlans(source.left, change), mapPlans(source.right, change)]
      return { source: { ...source, left, right }, operators }
    }
    default:
      return { source, operators }
  }
}

/** The parts with those that run inside the actors of a pool in one. */
function joinParts(parts: readonly Part[], cpus: number): readonly Part[] {
  const result: Part[] = []
  for (const part of parts) {
    const joined = join(result.at(-1), part, cpus)
    if (joined === undefined) result.push(part)
    else result[result.length - 1] = joined
  }
  return result
}

function isWorker(part: Part | undefined): part is Worker {
  return part?.kind === 'source' || part?.kind === 'map'
}

function isPool(part: Part): part is Worker {
  return isWorker(part) && part.resources.pool !== undefined
}

function cpusOf({ resources }: Worker): number {
  return (resources.pool?.max ?? 0) * resources.numCpus
}

/** Asks for nothing but a CPU, and makes one block, so that it may as well run in an actor. */
function isPlain({ resources, transforms }: Worker): boolean {
  // An actor gives one block for each: of the parts of an exchange all but the first would be lost.
  if (partsOf(transforms) !== undefined) return false
  const { numCpus, concurrency, pool, ...others } = resources
  const isAsked = Object.values(others).some((value) => value !== undefined)
  return numCpus === 1 && !Number.isFinite(concurrency) && pool === undefined && !isAsked
}

function join(before: Part | undefined, part: Part, cpus: number): Worker | undefined {
  if (!isWorker(before) || !isWorker(part)) return undefined
  const isFull = (worker: Worker): boolean => isPool(worker) && cpusOf(worker) >= cpus
  const fits = (isFull(part) && isPlain(before)) || (isFull(before) && isPlain(part))
  if (!fits || (part.kind === 'map' && !fillsBatches(before, part.rowsMin))) return undefined
  return {
    ...before,
    name: `${before.name} -> ${part.name}`,
    transforms: [...before.transforms, ...part.transforms],
    resources: isPool(before) ? before.resources : part.resources,
  }
}

/** What pools may have of the CPUs that they ask for, so that tasks have one, if there are any. */
function shareOf(parts: readonly Part[], cpus: number): number {
  const pools = parts.filter(isPool)
  const asked = pools.reduce((sum, pool) => sum + cpusOf(pool), 0)
  const isAlone = parts.every((part) => {
    return part.kind === 'blocks' || part.kind === 'union' || pools.includes(part as Worker)
  })
  const left = Math.max(0, isAlone ? cpus : cpus - 1)
  return asked <= left ? 1 : left / asked
}

function shared(part: Part, share: number): Part {
  if (!isPool(part)) return part
  const numCpus = Math.floor(part.resources.numCpus * share * grainsPerCpu) / grainsPerCpu
  return { ...part, resources: { ...part.resources, numCpus } }
}
