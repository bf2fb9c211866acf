// The door `typeray/state`: what there is in a session, as rows.

import { list, type ListOptions } from './list.js'
import type {
  TaskState,
  ActorState,
  ObjectState,
  WorkerState,
  NodeRow,
  JobState,
  PlacementGroupState,
  StateRows,
} from './rows.js'

export { list, type Filter, type ListOptions, type StateList } from './list.js'
export {
  type ActorSummary,
  type ObjectSummary,
  type StateCounts,
  summarizeActors,
  summarizeObjects,
  summarizeTasks,
  type SummaryOptions,
  type TaskSummary,
} from './summary.js'
export type {
  ActorState,
  JobState,
  NodeRow,
  ObjectState,
  PlacementGroupState,
  StateRows,
  TaskState,
  TaskStateName,
  WorkerState,
} from './rows.js'

/** How to ask for one thing. */
export type GetOptions = Pick<ListOptions, 'address' | 'timeoutMs'>

async function rowsOf<R extends keyof StateRows>(
  resource: R,
  options: ListOptions | undefined,
): Promise<StateRows[R][]> {
  return (await list(resource, options)).rows
}

async function ofId<R extends keyof StateRows>(
  resource: R,
  filter: readonly [column: string, id: string],
  options: GetOptions | undefined,
): Promise<StateRows[R][]> {
  const [column, id] = filter
  return rowsOf(resource, { ...options, detail: true, filters: [[column, '=', id]] })
}

/**
 * The tasks that are under way, and the last that have ended, the newest first.
 *
 * A task is over when its worker has said so, which it does within a second. Tasks that wait for
 * their arguments are not listed.
 *
 * Follows `list_tasks` of Ray.
 *
 * @example
 * const failed = await state.listTasks({ filters: [['state', '=', 'FAILED']] })
 */
export function listTasks(options?: ListOptions): Promise<TaskState[]> {
  return rowsOf('tasks', options)
}

/**
 * The actors, those that are dead too.
 *
 * Follows `list_actors` of Ray.
 *
 * @example
 * const alive = await state.listActors({ filters: [['state', '=', 'ALIVE']] })
 */
export function listActors(options?: ListOptions): Promise<ActorState[]> {
  return rowsOf('actors', options)
}

/**
 * Objects that are in the object store or known outside of their owner, once per process that
 * holds them. Small values that never left their owner are in nobody's books.
 *
 * Follows `list_objects` of Ray.
 *
 * @example
 * const mine = await state.listObjects({ filters: [['pid', '=', process.pid]] })
 */
export function listObjects(options?: ListOptions): Promise<ObjectState[]> {
  return rowsOf('objects', options)
}

/**
 * The workers and drivers, the last that have ended too.
 *
 * Follows `list_workers` of Ray.
 *
 * @example
 * const dead = await state.listWorkers({ filters: [['isAlive', '=', false]], detail: true })
 */
export function listWorkers(options?: ListOptions): Promise<WorkerState[]> {
  return rowsOf('workers', options)
}

/**
 * The nodes of the cluster.
 *
 * Follows `list_nodes` of Ray.
 *
 * @example
 * const [node] = await state.listNodes()
 */
export function listNodes(options?: ListOptions): Promise<NodeRow[]> {
  return rowsOf('nodes', options)
}

/**
 * The programs that have joined the session.
 *
 * Follows `list_jobs` of Ray.
 *
 * @example
 * const jobs = await state.listJobs()
 */
export function listJobs(options?: ListOptions): Promise<JobState[]> {
  return rowsOf('jobs', options)
}

/**
 * The placement groups, those that were removed too.
 *
 * Follows `list_placement_groups` of Ray.
 *
 * @example
 * const groups = await state.listPlacementGroups({ detail: true })
 */
export function listPlacementGroups(options?: ListOptions): Promise<PlacementGroupState[]> {
  return rowsOf('placementGroups', options)
}

/**
 * The attempts at one task, with all columns; none when it is not known.
 *
 * Follows `get_task` of Ray.
 *
 * @example
 * const rows = await state.getTask('1292fdce65b8000000000004')
 */
export function getTask(taskId: string, options?: GetOptions): Promise<TaskState[]> {
  return ofId('tasks', ['taskId', taskId], options)
}

/**
 * One actor, with all columns; undefined when it is not known.
 *
 * Follows `get_actor` of Ray.
 *
 * @example
 * const row = await state.getActor('1292fdce65b8000000000004')
 */
export async function getActor(
  actorId: string,
  options?: GetOptions,
): Promise<ActorState | undefined> {
  return (await ofId('actors', ['actorId', actorId], options))[0]
}

/**
 * One object, once per process that holds it; none when it is not known.
 *
 * Follows `get_objects` of Ray.
 *
 * @example
 * const rows = await state.getObjects('1292fdce65b8000000000004')
 */
export function getObjects(objectId: string, options?: GetOptions): Promise<ObjectState[]> {
  return ofId('objects', ['objectId', objectId], options)
}

/**
 * One worker, with all columns; undefined when it is not known.
 *
 * Follows `get_worker` of Ray.
 *
 * @example
 * const row = await state.getWorker('1292fdce65b8000000000004')
 */
export async function getWorker(
  workerId: string,
  options?: GetOptions,
): Promise<WorkerState | undefined> {
  return (await ofId('workers', ['workerId', workerId], options))[0]
}

/**
 * One node, with all columns; undefined when it is not known.
 *
 * Follows `get_node` of Ray.
 *
 * @example
 * const row = await state.getNode('1292fdce65b8000000000004')
 */
export async function getNode(nodeId: string, options?: GetOptions): Promise<NodeRow | undefined> {
  return (await ofId('nodes', ['nodeId', nodeId], options))[0]
}

/**
 * One job, with all columns; undefined when it is not known.
 *
 * Follows `get_job` of Ray.
 *
 * @example
 * const row = await state.getJob('1292fdce65b8000000000004')
 */
export async function getJob(jobId: string, options?: GetOptions): Promise<JobState | undefined> {
  return (await ofId('jobs', ['jobId', jobId], options))[0]
}

/**
 * One placement group, with all columns; undefined when it is not known.
 *
 * Follows `get_placement_group` of Ray.
 *
 * @example
 * const row = await state.getPlacementGroup('1292fdce65b8000000000004')
 */
export async function getPlacementGroup(
  placementGroupId: string,
  options?: GetOptions,
): Promise<PlacementGroupState | undefined> {
  return (await ofId('placementGroups', ['placementGroupId', placementGroupId], options))[0]
}
