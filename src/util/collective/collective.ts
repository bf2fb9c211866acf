// The functions that ranks call. A process knows its groups by name.

import {
  createSharedMemory,
  actorId,
  getRuntimeContext,
  openSharedMemory,
  remote,
} from '../../ray/index.js'
import { CollectiveError } from './collective-error.js'
import { CollectiveGroup } from './collective-group.js'
import { type NumericArray, type ReduceOp, reduceOps } from './kernels.js'
import { type Joined, RendezvousActor } from './rendezvous-actor.js'
import { Segment } from './segment.js'

/** Which group, and how long to wait for its other ranks. */
export interface CollectiveOptions {
  /** 'default' if left out. */
  readonly groupName?: string
  /** How long to wait for the other ranks, in milliseconds; 30 seconds by default. */
  readonly timeoutMs?: number
}

/** How a group is made. */
export interface CollectiveGroupOptions extends CollectiveOptions {
  /** How ranks exchange: 'shm', shared memory of one node, is what there is. */
  readonly backend?: 'shm'
}

/** Which group, and how values of the ranks become one. */
export interface ReduceOptions extends CollectiveOptions {
  /** 'SUM' by default. Integers wrap. */
  readonly op?: ReduceOp
}

const timeoutMsDefault = 30_000
const worldSizeMax = 64
const meeting = {
  name: 'rendezvous',
  namespace: 'typeray.collective',
  lifetime: 'detached',
  getIfExists: true,
  numCpus: 0,
  maxConcurrency: 1_000_000,
} as const
const RemoteRendezvous = remote(RendezvousActor)

/** Groups of this process. Added by init, removed by destroy. */
const groups = new Map<string, CollectiveGroup>()
/** Groups that the driver declared and this process is joining. */
const joining = new Map<string, Promise<CollectiveGroup>>()

const nameOf = ({ groupName = 'default' }: CollectiveOptions): string => groupName

function timeoutOf({ timeoutMs = timeoutMsDefault }: CollectiveOptions): number {
  if (typeof timeoutMs === 'number' && timeoutMs > 0) return timeoutMs
  throw new RangeError(`timeoutMs must be a number above zero, not ${String(timeoutMs)}.`)
}

function checkSize(worldSize: number, options: CollectiveGroupOptions): void {
  const backend: unknown = options.backend ?? 'shm'
  if (backend !== 'shm') {
    throw new TypeError(
      `The backend '${String(backend)}' is not there: Node has no GPU tensors and no Gloo. ` +
        `Use 'shm', shared memory between the ranks of one node.`,
    )
  }
  if (!Number.isInteger(worldSize) || worldSize < 1 || worldSize > worldSizeMax) {
    throw new RangeError(
      `worldSize must be an integer from 1 to ${worldSizeMax}, not ${String(worldSize)}.`,
    )
  }
}

function checkRank(what: string, rank: number, worldSize: number): void {
  if (Number.isInteger(rank) && rank >= 0 && rank < worldSize) return
  throw new RangeError(
    `${what}: rank must be an integer from 0 to ${worldSize - 1}, not ${String(rank)}.`,
  )
}

/**
 * Joins a group of `worldSize` ranks as rank `rank`. Resolves when all have joined. Each rank is a
 * process of its own: an actor, a task, or the driver.
 *
 * @example
 * class Trainer {
 *   async setUp(rank: number) {
 *     await initCollectiveGroup(2, rank)
 *   }
 *   async step(gradients: Float64Array) {
 *     return allReduce(gradients)
 *   }
 * }
 *
 * @throws CollectiveError when a rank does not join within `timeoutMs`, or they do not agree.
 */
export async function initCollectiveGroup(
  worldSize: number,
  rank: number,
  options: CollectiveGroupOptions = {},
): Promise<void> {
  checkSize(worldSize, options)
  checkRank('initCollectiveGroup', rank, worldSize)
  const name = nameOf(options)
  if (groups.has(name) || joining.has(name)) {
    throw new CollectiveError(
      `This process is in the collective group '${name}' already. Destroy it first.`,
      { fields: { groupName: name } },
    )
  }
  await joinGroup({ name, worldSize, rank, timeoutMs: timeoutOf(options) })
}

interface Place {
  readonly name: string
  readonly worldSize: number
  readonly rank: number
  readonly timeoutMs: number
}

function joinGroup(place: Place): Promise<CollectiveGroup> {
  const joined = join(place).finally(() => joining.delete(place.name))
  joining.set(place.name, joined)
  return joined
}

async function join({ name, worldSize, rank, timeoutMs }: Place): Promise<CollectiveGroup> {
  const made =
    rank === 0 ? createSharedMemory('typeray-collective', Segment.sizeBytes(worldSize)) : undefined
  try {
    const rendezvous = RemoteRendezvous.options(meeting).remote()
    const joined: Joined = await rendezvous.join
      .remote({
        groupName: name,
        rank,
        worldSize,
        pid: process.pid,
        nodeId: getRuntimeContext().nodeId,
        memory: made?.memory,
        timeoutMs,
      })
      .get()
    if ('problem' in joined) {
      throw new CollectiveError(
        `Rank ${rank} could not join the collective group '${name}': ${joined.problem}.`,
        { fields: { groupName: name, rank } },
      )
    }
    const bytes = made?.bytes ?? openSharedMemory(joined.memory)
    const group = new CollectiveGroup(new Segment(bytes, worldSize), {
      name,
      rank,
      pids: joined.pids,
    })
    // All have the memory before its maker closes it.
    await group.barrier(timeoutMs)
    groups.set(name, group)
    return group
  } finally {
    made?.close()
  }
}

/**
 * Declares a group of actors from outside. Each joins by itself when it first calls an operation
 * of the group; `actors[i]` gets rank `ranks[i]`, by default `i`.
 *
 * @example
 * const Adder = ray.remote(class { add(x: number) { return x } })
 * await createCollectiveGroup([Adder.remote(), Adder.remote()], { groupName: 'pair' })
 */
export async function createCollectiveGroup(
  actors: readonly object[],
  options: CollectiveGroupOptions & { readonly ranks?: readonly number[] } = {},
): Promise<void> {
  const worldSize = actors.length
  checkSize(worldSize, options)
  const ranks = options.ranks ?? actors.map((_, rank) => rank)
  for (const rank of ranks) checkRank('createCollectiveGroup', rank, worldSize)
  const ids = actors.map(actorIdOf)
  if (new Set(ranks).size !== worldSize || new Set(ids).size !== worldSize) {
    throw new RangeError('createCollectiveGroup: each actor must be given once, with its own rank.')
  }
  const name = nameOf(options)
  const declared = {
    worldSize,
    ranks: Object.fromEntries(ids.map((id, index) => [id, ranks[index] ?? index])),
    timeoutMs: timeoutOf(options),
  }
  const rendezvous = RemoteRendezvous.options(meeting).remote()
  if (await rendezvous.declare.remote(name, declared).get()) return
  throw new CollectiveError(
    `The collective group '${name}' was created already. Destroy it on one of its ranks first.`,
    { fields: { groupName: name } },
  )
}

function actorIdOf(actor: object): string {
  try {
    return actorId(actor)
  } catch (cause) {
    throw new TypeError('createCollectiveGroup takes handles of actors.', { cause })
  }
}

/**
 * Leaves a group. Every rank does so by itself; the name is free when all have.
 *
 * @example
 * await destroyCollectiveGroup('pair')
 */
export async function destroyCollectiveGroup(groupName = 'default'): Promise<void> {
  if (!groups.delete(groupName)) return
  const rendezvous = RemoteRendezvous.options(meeting).remote()
  await rendezvous.forget.remote(groupName).get()
}

/**
 * Whether this process has joined the group.
 *
 * @example
 * if (!isGroupInitialized()) await initCollectiveGroup(2, 0)
 */
export function isGroupInitialized(groupName = 'default'): boolean {
  return groups.has(groupName)
}

/**
 * The rank of this process in the group; -1 if it has not joined.
 *
 * @example
 * const isFirst = getRank('pair') === 0
 */
export function getRank(groupName = 'default'): number {
  return groups.get(groupName)?.place.rank ?? -1
}

/**
 * The number of ranks of the group; -1 if this process has not joined.
 *
 * @example
 * const sum = new Float32Array(8)
 * const mean = sum.map((x) => x / getCollectiveGroupSize())
 */
export function getCollectiveGroupSize(groupName = 'default'): number {
  return groups.get(groupName)?.worldSize ?? -1
}

/** The group, joined now if the driver has declared it. */
async function groupOf(options: CollectiveOptions): Promise<CollectiveGroup> {
  const name = nameOf(options)
  const group = groups.get(name) ?? (await joining.get(name))
  if (group !== undefined) return group
  const { actorId } = getRuntimeContext()
  if (actorId !== undefined) {
    const declared = await RemoteRendezvous.options(meeting).remote().declared.remote(name).get()
    const found = groups.get(name) ?? (await joining.get(name))
    if (found !== undefined) return found
    const rank = declared?.ranks[actorId]
    if (declared !== undefined && rank !== undefined) {
      const { worldSize, timeoutMs } = declared
      return joinGroup({ name, worldSize, rank, timeoutMs })
    }
  }
  throw new CollectiveError(
    `This process is not in the collective group '${name}'. Call initCollectiveGroup here, or ` +
      `createCollectiveGroup where its actors are made.`,
    { fields: { groupName: name } },
  )
}

function opOf({ op = 'SUM' }: ReduceOptions): ReduceOp {
  if (reduceOps.includes(op)) return op
  throw new TypeError(`op must be one of ${reduceOps.join(', ')}, not ${String(op)}.`)
}

/**
 * Combines the arrays of all ranks, element by element, and leaves the result in each of them.
 * Resolves to the array that was given.
 *
 * @example
 * const gradients = new Float32Array(1000).fill(0.5)
 * await allReduce(gradients, { op: 'SUM' })
 *
 * @throws CollectiveError on all ranks when their arrays or calls do not fit, or when a rank does
 * not come within `timeoutMs`.
 */
export async function allReduce<T extends NumericArray>(
  array: T,
  options: ReduceOptions = {},
): Promise<T> {
  const group = await groupOf(options)
  return group.allReduce(array, opOf(options), timeoutOf(options))
}

/**
 * Combines the arrays of all ranks into that of rank `dstRank`; the others keep theirs.
 *
 * @example
 * const counts = new Int32Array(10)
 * await reduce(counts, 0, { op: 'MAX' })
 */
export async function reduce<T extends NumericArray>(
  array: T,
  dstRank = 0,
  options: ReduceOptions = {},
): Promise<T> {
  const group = await groupOf(options)
  checkRank('reduce', dstRank, group.worldSize)
  return group.reduce(array, { op: opOf(options), root: dstRank, timeoutMs: timeoutOf(options) })
}

/**
 * Copies the array of rank `srcRank` into that of every other rank.
 *
 * @example
 * const weights = new Float32Array(1000)
 * await broadcast(weights, 0)
 */
export async function broadcast<T extends NumericArray>(
  array: T,
  srcRank = 0,
  options: CollectiveOptions = {},
): Promise<T> {
  const group = await groupOf(options)
  checkRank('broadcast', srcRank, group.worldSize)
  return group.broadcast(array, srcRank, timeoutOf(options))
}

/**
 * Copies `input` of each rank into `outputs[rank]` of every rank.
 *
 * @example
 * const outputs = [new Float32Array(10), new Float32Array(10)]
 * await allGather(outputs, new Float32Array(10).fill(getRank()))
 */
export async function allGather<T extends NumericArray>(
  outputs: readonly T[],
  input: T,
  options: CollectiveOptions = {},
): Promise<readonly T[]> {
  return (await groupOf(options)).allGather(outputs, input, timeoutOf(options))
}

/**
 * Combines `inputs[r]` of all ranks into `output` of rank r.
 *
 * @example
 * const mine = new Float32Array(10)
 * await reduceScatter(mine, [new Float32Array(10), new Float32Array(10)])
 */
export async function reduceScatter<T extends NumericArray>(
  output: T,
  inputs: readonly T[],
  options: ReduceOptions = {},
): Promise<T> {
  const group = await groupOf(options)
  return group.reduceScatter(output, inputs, {
    op: opOf(options),
    timeoutMs: timeoutOf(options),
  })
}

/**
 * Resolves when all ranks have called it.
 *
 * @example
 * await barrier()
 */
export async function barrier(options: CollectiveOptions = {}): Promise<void> {
  return (await groupOf(options)).barrier(timeoutOf(options))
}

/**
 * Sends an array to rank `dstRank`, which must call `recv`. Resolves when it has been passed on.
 *
 * @example
 * await send(Float64Array.of(1, 2, 3), 1)
 */
export async function send(
  array: NumericArray,
  dstRank: number,
  options: CollectiveOptions = {},
): Promise<void> {
  const group = await groupWith('send', dstRank, options)
  return group.send(array, dstRank, timeoutOf(options))
}

/**
 * Receives what rank `srcRank` sends into an array of the same kind and length.
 *
 * @example
 * const boundary = await recv(new Float64Array(100), 0)
 */
export async function recv<T extends NumericArray>(
  array: T,
  srcRank: number,
  options: CollectiveOptions = {},
): Promise<T> {
  const group = await groupWith('recv', srcRank, options)
  return group.recv(array, srcRank, timeoutOf(options))
}

/** The group, in which the rank must be another process. */
async function groupWith(
  what: string,
  rank: number,
  options: CollectiveOptions,
): Promise<CollectiveGroup> {
  const group = await groupOf(options)
  checkRank(what, rank, group.worldSize)
  if (rank !== group.place.rank) return group
  throw new RangeError(`${what}: rank ${rank} is this process itself.`)
}
