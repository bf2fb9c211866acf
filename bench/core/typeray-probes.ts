// Typeray's side of every row.
import type { ProbeTable } from '../probe.js'
import { actorProbes } from './actors.js'
import { envelopeProbes } from './envelope.js'
import { collectiveProbes } from './collectives.js'
import { footprintProbes } from './footprint.js'
import { objectProbes } from './objects.js'
import { placementGroupProbes } from './placement-groups.js'
import { taskProbes } from './tasks.js'

export const typerayProbes: ProbeTable = {
  ...objectProbes,
  ...taskProbes,
  ...actorProbes,
  ...placementGroupProbes,
  ...envelopeProbes,
  ...footprintProbes,
  ...collectiveProbes,
}
