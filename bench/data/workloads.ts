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
  {
    name: 'taxi, expressions',
    peers: ['ray', 'duckdb'],
    targets: [
      { engine: 'ray', atLeast: 6, aim: 14 },
      { engine: 'duckdb', atLeast: 1 / 3, aim: 1 / 1.2 },
    ],
    runs: 3,
  },
  {
    name: 'flights, group',
    peers: engines,
    targets: [
      { engine: 'ray', atLeast: 15, aim: 50 },
      { engine: 'duckdb', atLeast: 1 / 4, aim: 1 / 1.5 },
    ],
    runs: 5,
  },
  {
    name: 'flights, sort and write',
    peers: engines,
    targets: [
      { engine: 'ray', atLeast: 2 },
      { engine: 'duckdb', atLeast: 1 / 1.6, aim: 1 },
    ],
    runs: 3,
  },
  {
    name: 'flights, shuffle',
    peers: ['ray', 'polars'],
    targets: [{ engine: 'ray', atLeast: 2, aim: 5 }],
    runs: 3,
  },
  {
    name: 'TPC-H Q1',
    peers: engines,
    targets: [
      { engine: 'ray', atLeast: 12 },
      { engine: 'duckdb', atLeast: 1 / 4, aim: 1 / 1.5 },
    ],
    runs: 3,
  },
  {
    name: 'TPC-H Q6',
    peers: engines,
    targets: [
      { engine: 'ray', atLeast: 6 },
      { engine: 'duckdb', atLeast: 1 / 4, aim: 1 / 1.5 },
    ],
    runs: 3,
  },
  {
    name: 'join and group',
    peers: engines,
    targets: [
      { engine: 'ray', atLeast: 12 },
      { engine: 'duckdb', atLeast: 1 / 4, aim: 1 / 1.5 },
    ],
    runs: 3,
  },
  {
    name: 'images',
    peers: ['ray'],
    targets: [{ engine: 'ray', atLeast: 2, aim: 3 }],
    runs: 2,
  },
]
