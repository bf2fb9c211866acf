// A plan whose blocks are worked on further by the tasks that make them, where these can.

import { type MapOperator, type PhysicalPlan, plainResources, type Transform } from './operators.js'

/** Adds transforms to the tasks that make the blocks of the plan. */
export function addTransforms(
  plan: PhysicalPlan,
  transforms: readonly Transform[],
  name: string,
): PhysicalPlan {
  if (transforms.length === 0) return plan
  const { source, operators } = plan
  const last = operators.at(-1) ?? source
  const map: MapOperator = { kind: 'map', name, transforms, resources: plainResources }
  if (!('transforms' in last) || last.resources.pool !== undefined) {
    return { source, operators: [...operators, map] }
  }
  const joined = { ...last, transforms: [...last.transforms, ...transforms] }
  if (joined.kind === 'map' || joined.kind === 'exchange') {
    return { source, operators: [...operators.slice(0, -1), joined] }
  }
  return { source: joined, operators }
}
