// What a simulated driver does with its life: tasks, objects, actors and placement groups at random
// moments, and the end of everything it made.

import type { Prng } from '../../base/prng.js'
import type { ObjectKey, Resources, SchedulingStrategy } from '../../wire/messages/terms.js'
import type { ActorSpec } from '../../wire/messages/raylet.js'
import type { SimulatedProcess } from './process.js'
import { processText } from './world.js'

const strategies = ['PACK', 'SPREAD', 'STRICT_PACK', 'STRICT_SPREAD'] as const

export class DriverPlan {
  readonly driver: SimulatedProcess
  readonly #actors: ObjectKey[] = []
  readonly #specs: ActorSpec[] = []
  readonly #groups: string[] = []
  /** Those that hold CPUs, in which tasks may run, and how many bundles they have. */
  readonly #cpuGroups = new Map<string, number>()
  /** Refs in the driver's own variables; its tasks and questions hold theirs beside. */
  #refs: ObjectKey[] = []
  readonly #cpus: number
  #count = 0

  constructor(driver: SimulatedProcess) {
    this.driver = driver
    this.#cpus = driver.node.resources['CPU'] ?? 1
  }

  /** Does something at `actions` moments of the next `ms`. */
  begin(actions: number, ms: number): void {
    const { clock, prng } = this.driver.world
    for (let i = 0; i < actions; i++) {
      clock.timer(prng.integer(1, ms), () => {
        if (this.driver.isAlive) this.#act()
      })
    }
  }

  /**
   * Gives back the CPUs that its groups hold, which tasks wait for. Tasks in them end or are
   * refused.
   */
  removeCpuGroups(): void {
    for (const group of this.#cpuGroups.keys())
      this.driver.send({ kind: 'removePlacementGroup', group })
    this.#cpuGroups.clear()
  }

  /**
   * Drops what it holds, so that what is left in the cluster is what was left behind by mistake.
   */
  finish(): void {
    const { driver } = this
    // A detached one that waits might wait for others of its kind for ever, and its calls with it.
    for (const { actor, detached } of this.#specs) {
      const state = driver.actors.stateOf(actor)?.state
      if (!detached || state === 'alive' || state === 'dead') continue
      driver.send({ kind: 'killActor', actor, noRestart: true, reason: 'ray.kill' })
    }
    for (const actor of this.#actors) driver.send({ kind: 'release', objects: [...actor] })
    this.#actors.length = 0
    this.#specs.length = 0
    for (const group of this.#groups) driver.send({ kind: 'removePlacementGroup', group })
    this.#groups.length = 0
    for (const key of this.#refs) driver.refs.drop(key)
    this.#refs = []
  }

  /**
   * Actors outside of groups and without a fixed node that are not placed, as far as the driver
   * knows.
   */
  readonly waiting = (): readonly ActorSpec[] => {
    const { driver } = this
    if (!driver.isAlive) return []
    return this.#specs.filter(({ actor, strategy }) => {
      const state = driver.actors.stateOf(actor)?.state
      const isFree = strategy.kind === 'default' || strategy.kind === 'spread'
      return isFree && (state === 'pending' || state === 'restarting')
    })
  }

  #act(): void {
    const { prng } = this.driver.world
    const actions = [
      () => this.#submit(),
      () => this.#submit(),
      () => this.#create(),
      () => this.#get(),
      () => this.#drop(),
      () => this.#createActor(),
      () => (prng.chance(0.3) ? this.#flood() : this.#createActor()),
      () => this.#call(),
      () => this.#call(),
      () => this.#endActor(),
      () => this.#createGroup(),
      () => this.#removeGroup(),
    ]
    prng.pick(actions)()
  }

  #submit(): void {
    const { prng } = this.driver.world
    const count = prng.chance(0.1) ? prng.integer(10, 40) : prng.integer(1, 4)
    const group = prng.chance(0.3) ? [...this.#cpuGroups].at(-1) : undefined
    const cpus = prng.pick([0.5, 1, 1, 1, group === undefined ? Math.min(2, this.#cpus) : 1])
    for (let i = 0; i < count; i++) {
      const nested = this.#refs.filter(() => prng.chance(0.2))
      const strategy =
        group === undefined ? strategyOf(prng, this.driver.world.nodeCount) : inGroup(prng, group)
      const isOnce = prng.chance(0.3)
      this.driver.tasks.submit({ cpus, depth: 1, nested, strategy, isOnce }, () => {})
    }
  }

  #create(): void {
    const { prng } = this.driver.world
    const contains = this.#refs.filter(() => prng.chance(0.2))
    const pendingMs = prng.chance(0.4) ? prng.integer(1, 1000) : 0
    this.#refs.push(this.driver.refs.create(contains, pendingMs))
  }

  #get(): void {
    const { refs, world } = this.driver
    if (this.#refs.length > 0) refs.get(world.prng.pick(this.#refs), () => {})
  }

  #drop(): void {
    if (this.#refs.length === 0) return
    const key = this.driver.world.prng.pick(this.#refs)
    this.#refs = this.#refs.filter((each) => each !== key)
    this.driver.refs.drop(key)
  }

  #createActor(): void {
    const { prng } = this.driver.world
    const group = prng.chance(0.3) ? this.#groups.at(-1) : undefined
    const some: Resources = prng.chance(0.5) ? { slot: prng.integer(1, 2) } : {}
    const resources = group === undefined ? some : { slot: 1 }
    const spec = this.driver.createActor({ resources, isDetached: prng.chance(0.05), group })
    this.#actors.push(spec.actor)
    this.#specs.push(spec)
  }

  /**
   * Keeps its node full of tasks until an actor is placed. One that starved would let it go on for
   * ever.
   */
  #flood(): void {
    const { driver } = this
    const { actor } = driver.createActor({ resources: {}, isDetached: false, group: undefined })
    this.#actors.push(actor)
    const depth = driver.world.prng.integer(0, 2)
    const submit = (): void => {
      const state = driver.actors.stateOf(actor)?.state
      const isOver = state === 'alive' || state === 'dead' || !driver.isAlive
      const strategy = { kind: 'default' } as const
      const how = { cpus: 1, depth, nested: [], strategy, isOnce: false }
      if (!isOver) driver.tasks.submit(how, submit)
    }
    for (let i = 2 * this.#cpus; i > 0; i--) submit()
  }

  #call(): void {
    const actor = this.#actors.at(-1)
    if (actor === undefined) return
    const count = this.driver.world.prng.integer(1, 5)
    for (let i = 0; i < count; i++) this.driver.actors.call(actor)
  }

  #endActor(): void {
    const { prng } = this.driver.world
    if (this.#actors.length === 0) return
    const actor = prng.pick(this.#actors)
    if (prng.chance(0.5)) {
      const noRestart = prng.chance(0.5)
      this.driver.send({ kind: 'killActor', actor, noRestart, reason: 'ray.kill' })
      return
    }
    this.#actors.splice(this.#actors.indexOf(actor), 1)
    this.driver.send({ kind: 'release', objects: [...actor] })
  }

  #createGroup(): void {
    const { driver } = this
    const { prng } = driver.world
    const group = `g${processText(driver.id)}.${++this.#count}`
    const bundles: Resources[] = []
    const detached = prng.chance(0.05)
    // CPUs are what tasks compete for, so reservations of them are refused now and then.
    const cpus: { CPU?: number } = detached || prng.chance(0.4) ? {} : { CPU: 1 }
    for (let i = prng.integer(1, 4); i > 0; i--) {
      bundles.push({ slot: prng.integer(1, 3), ...cpus })
    }
    this.#groups.push(group)
    if (cpus.CPU !== undefined) this.#cpuGroups.set(group, bundles.length)
    driver.world.checker.counts.groups++
    driver.world.trace.note(`${driver.name} creates ${group}`)
    driver.send({
      kind: 'createPlacementGroup',
      group,
      bundles,
      strategy: prng.pick(strategies),
      name: '',
      namespace: '',
      detached,
    })
  }

  #removeGroup(): void {
    const { prng } = this.driver.world
    if (this.#groups.length === 0) return
    const group = prng.pick(this.#groups)
    this.#groups.splice(this.#groups.indexOf(group), 1)
    this.driver.send({ kind: 'removePlacementGroup', group })
  }
}

/** Most tasks go where it is best; others take turns, or want a certain node. */
function strategyOf(prng: Prng, nodeCount: number): SchedulingStrategy {
  if (prng.chance(0.6)) return { kind: 'default' }
  if (prng.chance(0.5)) return { kind: 'spread' }
  const nodeId = `n${prng.integer(1, nodeCount)}`
  return { kind: 'nodeAffinity', nodeId, soft: prng.chance(0.7) }
}

/** In any bundle, or in a certain one. */
function inGroup(prng: Prng, [group, bundles]: readonly [string, number]): SchedulingStrategy {
  const bundle = prng.chance(0.6) ? -1 : prng.integer(0, bundles - 1)
  return { kind: 'placementGroup', target: { group, bundle } }
}
