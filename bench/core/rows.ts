// The rows of the suite `core`. Those of Ray's microbenchmark carry its names and do the same work
// in the same counts.
import type { LimitName, Row, Target } from '../row.js'

const overRay = (atLeast: number, aim?: number): Target =>
  aim === undefined ? { measure: 'x Ray', atLeast } : { measure: 'x Ray', atLeast, aim }
const echoPipelined: readonly LimitName[] = ['raw echo pipelined']
const floodTargets: readonly Target[] = [
  overRay(100, 400),
  { measure: 'x echo', atLeast: 0.5, aim: 2 },
]

const objectRows: readonly Row[] = [
  {
    name: 'single client get calls (Plasma Store)',
    unit: '/s',
    hasRay: true,
    rayReference: 16_876,
    targets: [overRay(20, 60)],
  },
  {
    name: 'single client put calls (Plasma Store)',
    unit: '/s',
    hasRay: true,
    rayReference: 2415,
    targets: [overRay(100, 400)],
  },
  { name: 'multi client put calls (Plasma Store)', unit: '/s', hasRay: true, rayReference: 2018 },
  { name: 'single client put gigabytes', unit: 'GB/s', hasRay: true, rayReference: 13.84 },
  { name: 'multi client put gigabytes', unit: 'GB/s', hasRay: true, rayReference: 11.75 },
  {
    name: 'single client get object containing 10k refs',
    unit: '/s',
    hasRay: true,
    rayReference: 17.6,
    targets: [overRay(15, 60)],
  },
  {
    name: 'single client wait 1k refs',
    unit: '/s',
    hasRay: true,
    rayReference: 1.99,
    targets: [overRay(30, 100)],
  },
]

const warmTarget: Target = { measure: 'share', atLeast: 0.7, aim: 0.95 }
const coldTarget: Target = { measure: 'share', atLeast: 0.7, aim: 0.9 }

const bulkRows: readonly Row[] = [
  {
    name: 'put 80 MB, warm pages',
    unit: 'GB/s',
    hasRay: true,
    limits: ['memcpy warm 80 MB'],
    targets: [warmTarget],
  },
  {
    name: 'put 80 MB, cold pages',
    unit: 'GB/s',
    limits: ['memcpy fresh 80 MB', 'write(2) fresh 80 MB'],
    targets: [coldTarget],
  },
  {
    name: 'put 800 MB, warm pages',
    unit: 'GB/s',
    hasRay: true,
    limits: ['memcpy warm 800 MB'],
    targets: [warmTarget],
  },
  {
    name: 'put 800 MB, cold pages',
    unit: 'GB/s',
    limits: ['memcpy fresh 800 MB', 'write(2) fresh 800 MB'],
    targets: [coldTarget],
  },
  {
    name: 'get 100 MB zero-copy',
    unit: 'ms',
    isLowerBetter: true,
    hasRay: true,
    rayReference: 0.281,
    targets: [{ measure: 'value', atLeast: 0.28, aim: 0.1 }],
  },
]

const taskRows: readonly Row[] = [
  {
    name: 'single client tasks and get batch',
    unit: '/s',
    hasRay: true,
    rayReference: 1.83,
    hasPiscina: true,
    limits: echoPipelined,
    limitPerUnit: 1000,
    targets: floodTargets,
  },
  {
    name: 'single client tasks sync',
    unit: '/s',
    hasRay: true,
    rayReference: 700,
    hasPiscina: true,
    limits: ['raw echo sync'],
    targets: [overRay(15), { measure: 'trips', atLeast: 2.5, aim: 1.3 }],
  },
  {
    name: 'single client tasks async',
    unit: '/s',
    hasRay: true,
    rayReference: 2050,
    hasPiscina: true,
    limits: echoPipelined,
    targets: floodTargets,
  },
  {
    name: 'multi client tasks async',
    unit: '/s',
    hasRay: true,
    rayReference: 1858,
    limits: echoPipelined,
    targets: floodTargets,
  },
  { name: 'tasks with int arg', unit: '/s', hasRay: true, hasPiscina: true, limits: echoPipelined },
  {
    name: 'tasks with object arg',
    unit: '/s',
    hasRay: true,
    hasPiscina: true,
    limits: echoPipelined,
  },
  {
    name: 'chain of 1000 tasks',
    unit: 's',
    isLowerBetter: true,
    hasRay: true,
    rayReference: 1.78,
    targets: [overRay(15, 40)],
  },
  {
    name: 'streaming generator items',
    unit: '/s',
    hasRay: true,
    rayReference: 4337,
    targets: [overRay(20, 100)],
  },
  {
    name: '5 us tasks on 2 workers',
    unit: '% of ideal',
    targets: [{ measure: 'value', atLeast: 50, aim: 70 }],
  },
  {
    name: '100 us tasks on 2 workers',
    unit: '% of ideal',
    targets: [{ measure: 'value', atLeast: 80, aim: 90 }],
  },
  {
    name: 'no-op throughput, 2 workers',
    unit: '/s',
    hasPiscina: true,
    limits: echoPipelined,
    targets: [{ measure: 'x piscina', atLeast: 4, aim: 15 }],
  },
]

const actorRows: readonly Row[] = [
  {
    name: '1:1 actor calls sync',
    unit: '/s',
    hasRay: true,
    rayReference: 1637,
    limits: ['raw echo sync'],
    targets: [overRay(8, 25)],
  },
  {
    name: '1:1 actor calls async',
    unit: '/s',
    hasRay: true,
    rayReference: 6351,
    limits: echoPipelined,
    targets: [overRay(40, 200)],
  },
  {
    name: '1:1 actor calls concurrent',
    unit: '/s',
    hasRay: true,
    rayReference: 5491,
    limits: echoPipelined,
  },
  {
    name: '1:n actor calls async',
    unit: '/s',
    hasRay: true,
    rayReference: 3702,
    limits: echoPipelined,
  },
  {
    name: 'n:n actor calls async',
    unit: '/s',
    hasRay: true,
    rayReference: 4794,
    limits: echoPipelined,
    targets: [overRay(40, 200)],
  },
  {
    name: 'n:n actor calls with arg async',
    unit: '/s',
    hasRay: true,
    rayReference: 1573,
    limits: echoPipelined,
    targets: [overRay(20, 150)],
  },
]

const asyncActorRow = (name: string, rayReference: number, limit: LimitName): Row => ({
  name,
  unit: '/s',
  hasRay: true,
  rayReference,
  limits: [limit],
})

const asyncActorRows: readonly Row[] = [
  asyncActorRow('1:1 async-actor calls sync', 937, 'raw echo sync'),
  asyncActorRow('1:1 async-actor calls async', 3192, 'raw echo pipelined'),
  asyncActorRow('1:1 async-actor calls with args async', 2087, 'raw echo pipelined'),
  asyncActorRow('1:n async-actor calls async', 2374, 'raw echo pipelined'),
  asyncActorRow('n:n async-actor calls async', 2428, 'raw echo pipelined'),
]

const sessionRows: readonly Row[] = [
  {
    name: 'placement group create/removal',
    unit: '/s',
    hasRay: true,
    rayReference: 466,
    targets: [overRay(10, 30)],
  },
  {
    name: 'actors created and called',
    unit: '/s',
    hasRay: true,
    rayReference: 2.8,
    limits: ['bare Node starts'],
    targets: [{ measure: 'share', atLeast: 0.6, aim: 1 }],
  },
  {
    name: 'init to first result',
    unit: 's',
    isLowerBetter: true,
    hasRay: true,
    rayReference: 4.37,
    targets: [{ measure: 'value', atLeast: 0.6, aim: 0.25 }],
  },
  {
    name: 'program with one task, start to exit',
    unit: 's',
    isLowerBetter: true,
    hasRay: true,
  },
  {
    name: 'idle memory, control processes and 2 workers',
    unit: 'MB PSS',
    isLowerBetter: true,
    hasRay: true,
    rayReference: 614,
    targets: [{ measure: 'value', atLeast: 150, aim: 90 }],
  },
]

const envelopeRow = (name: string, rayReference: number, targets: readonly Target[]): Row => ({
  name,
  unit: 's',
  isLowerBetter: true,
  rayReference,
  targets,
})

const envelopeRows: readonly Row[] = [
  envelopeRow('10 000 arguments to one task', 17.2, [overRay(10, 50)]),
  envelopeRow('3000 returns of one task', 5.7, [overRay(10, 50)]),
  envelopeRow('10 000 objects put and got at once', 23, [overRay(10, 50)]),
  envelopeRow('1 000 000 queued tasks, submit and drain', 184, [
    { measure: 'value', atLeast: 6, aim: 1.5 },
  ]),
]

const collectiveRows: readonly Row[] = [
  {
    // The bytes of one rank's Float64Array per second, from the driver's call of both actors to
    // both answers, against a memcpy of as many bytes in the same run.
    name: 'allReduce 64 MB, 2 actors',
    unit: 'GB/s',
    limits: ['memcpy warm 64 MB'],
    targets: [{ measure: 'share', atLeast: 0.4, aim: 0.7 }],
  },
  // What one core adds without exchanging anything: each of two ranks adds half of the array.
  { name: 'allReduce compute limit: add 64 MB of Float64Array', unit: 'GB/s' },
  { name: 'allReduce compute limit: add 64 MB of Float32Array', unit: 'GB/s' },
]

export const coreRows: readonly Row[] = [
  ...objectRows,
  ...bulkRows,
  ...taskRows,
  ...actorRows,
  ...asyncActorRows,
  ...envelopeRows,
  ...sessionRows,
  ...collectiveRows,
]
