// The suites: their rows, and who has probes for them.
import { clusterRows } from './cluster/rows.js'
import { coreRows } from './core/rows.js'
import type { ProbeTable } from './probe.js'
import type { Row } from './row.js'

export interface Suite {
  readonly rows: readonly Row[]
  /** Loaded in the process of a probe only. */
  readonly probes: () => Promise<ProbeTable>
  /** Ray's side, below `bench/`. */
  readonly rayScript: string
}

export const suites: Readonly<Record<string, Suite>> = {
  core: {
    rows: coreRows,
    probes: async () => (await import('./core/typeray-probes.js')).typerayProbes,
    rayScript: 'ray_rows.py',
  },
  cluster: {
    rows: clusterRows,
    probes: async () => (await import('./cluster/typeray-probes.js')).clusterProbes,
    rayScript: 'cluster/ray_cluster_rows.py',
  },
}
