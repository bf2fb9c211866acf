// The rows of the data suite and what is asked of them.

import type { Workload } from './workload.js'

const engines = ['ray', 'polars', 'duckdb'] as const

export const workloads: readonly Workload[] = [
  {
    name: 'taxi, function per batch',
    peers: engines,
    targets: [{ engine: 'ray', atLeast: 4, aim: 10 }],
    memoryOfRay: 0.5,
    runs: 3,
  },
  {
    name: 'batch inference',
    peers: ['ray'],
    targets: [{ engine: 'ray', atLeast: 3, aim: 8 }],
    runs: 3,
  },
  {
    name: '8 GiB through 1 GB',
    peers: ['ray'],
    targets: [{ engine: 'ray', atLeast: 2, aim: 4 }],
    memoryOfRay: 0.5,
    storeBytes: 1e9,
    runs: 1,
  },
  {
    name: 'pool behind a read',
    // Ray waits for ever.
    peers: [],
    targets: [],
    runs: 1,
  },
  {
    name: '10 000 blocks of a row',
    peers: ['ray'],
    targets: [{ engine: 'ray', atLeast: 10, aim: 40 }],
    runs: 1,
  },
]
