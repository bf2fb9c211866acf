// The rows of the suite `cluster`: several nodes on one machine, over TCP on loopback.
import type { Row } from '../row.js'

export const clusterRows: readonly Row[] = [
  {
    name: 'remote task round trip',
    unit: '/s',
    hasRay: true,
    limits: ['raw echo sync, TCP'],
    targets: [
      { measure: 'x Ray', atLeast: 5 },
      { measure: 'trips', atLeast: 6, aim: 3 },
    ],
  },
  {
    name: 'tasks async over 2 nodes',
    unit: '/s',
    hasRay: true,
    targets: [{ measure: 'x Ray', atLeast: 50, aim: 200 }],
  },
  {
    name: '1 GiB object node to node',
    unit: 'GB/s',
    hasRay: true,
    limits: ['TCP into shared memory 1 GiB'],
    targets: [{ measure: 'share', atLeast: 0.6, aim: 0.9 }],
  },
  {
    name: 'broadcast of 256 MiB to 4 nodes, over one after another',
    unit: 'x',
    targets: [{ measure: 'value', atLeast: 2, aim: 4 }],
  },
  {
    name: 'SIGKILL of a node to its tasks elsewhere',
    unit: 's',
    isLowerBetter: true,
    targets: [{ measure: 'value', atLeast: 3, aim: 1 }],
  },
  {
    name: 'GCS restart to first new task',
    unit: 's',
    isLowerBetter: true,
    targets: [{ measure: 'value', atLeast: 2, aim: 0.5 }],
  },
]
