// Finds CPUs for pools of actors.
//
// Actors keep their CPUs for as long as the pool lives. A pool that has all CPUs of the cluster
// starves the reads that it waits for: both wait for ever. So where a pool has all CPUs, the
// operators beside it run inside its actors; and where pools together leave no whole CPU to the
// tasks that remain, their actors reserve less than they were given, and the operating system
// shares the CPUs.

import { fillsBatches } from './plan-batches.js'
import type { MapOperator, PhysicalPlan, SourceOperator } from '../physical/operators.js'

type Part = PhysicalPlan['source'] | PhysicalPlan['operators'][number]
type Worker = SourceOperator | MapOperator

/** The smallest part of a CPU that can be asked for. */
const grainsPerCpu = 10_000

export function planPools(plan: PhysicalPlan, cpus: number): PhysicalPlan {
  if (![plan.source, ...plan.operators].some(isPool)) return plan
  const parts: Part[] = []
  for (const part of [plan.source, ...plan.operators]) {
    const joined = join(parts.at(-1), part, cpus)
    if (joined === undefined) parts.push(part)
    else parts[parts.length - 1] = joined
  }
  const [source, ...operators] = shareCpus(parts, cpus) as [
    PhysicalPlan['source'],
    ...PhysicalPlan['operators'],
  ]
  return { source, operators }
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

/** Asks for nothing but a CPU, so that it may as well run in an actor. */
function isPlain({ resources }: Worker): boolean {
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

/** Leaves at least one CPU to tasks, where there are any. */
function shareCpus(parts: readonly Part[], cpus: number): readonly Part[] {
  const pools = parts.filter(isPool)
  const asked = pools.reduce((sum, pool) => sum + cpusOf(pool), 0)
  const isAlone = parts.every((part) => part.kind === 'blocks' || pools.includes(part as Worker))
  if (asked <= cpus - 1 || (isAlone && asked <= cpus)) return parts
  const share = Math.max(0, isAlone ? cpus : cpus - 1) / asked
  return parts.map((part) => {
    if (!isPool(part)) return part
    const numCpus = Math.floor(part.resources.numCpus * share * grainsPerCpu) / grainsPerCpu
    return { ...part, resources: { ...part.resources, numCpus } }
  })
}
