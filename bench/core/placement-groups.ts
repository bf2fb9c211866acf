// A hundred placement groups are created, waited for and removed.
import * as ray from 'typeray'
import type { ProbeTable } from '../probe.js'
import { inSession } from './session.js'

const groupCount = 100

async function createAndRemove(): Promise<void> {
  const groups = Array.from({ length: groupCount }, () => ray.placementGroup([{ custom: 0.001 }]))
  for (const group of groups) await ray.get(group.ready())
  for (const group of groups) ray.removePlacementGroup(group)
}

export const placementGroupProbes: ProbeTable = {
  'placement group create/removal': inSession(
    async () => ({ kind: 'rate', unitsPerStep: groupCount, step: createAndRemove }),
    { resources: { custom: 100 } },
  ),
}
