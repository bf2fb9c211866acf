// What a node, or a bundle reserved on it, has and has given out.
//
// Devices (GPUs) are given out by number. A share is put on the fullest device that still has room
// for it, so that whole devices stay free for those who need one.

import { assert } from '../base/assert.js'
import type { ResourceSet } from './resources.js'
import { deviceResources, unitParts } from './resources.js'

/** A part of one numbered device. */
export interface DeviceShare {
  readonly device: number
  readonly parts: number
}

/** What one lease, actor or bundle holds. */
export interface Allocation {
  readonly resources: ResourceSet
  readonly devices: ReadonlyMap<string, readonly DeviceShare[]>
}

export function devicesOf(allocation: Allocation, name: string): number[] {
  return (allocation.devices.get(name) ?? []).map((share) => share.device)
}

export class ResourcePool {
  readonly total: ResourceSet
  #available: ResourceSet
  /** Free parts of each device, by resource and device number. */
  readonly #devices = new Map<string, Map<number, number>>()
  readonly #deviceTotals = new Map<string, ReadonlyMap<number, number>>()

  /** `devices` says which devices a bundle consists of; a node numbers its own from 0. */
  constructor(total: ResourceSet, devices?: Allocation['devices']) {
    this.total = total
    this.#available = total
    for (const name of deviceResources) {
      const free = new Map<number, number>()
      const given = devices?.get(name)
      if (given !== undefined) for (const share of given) free.set(share.device, share.parts)
      else {
        const parts = total.get(name)
        for (let n = 0; n * unitParts < parts; n++) {
          free.set(n, Math.min(unitParts, parts - n * unitParts))
        }
      }
      this.#devices.set(name, free)
      this.#deviceTotals.set(name, new Map(free))
    }
  }

  get available(): ResourceSet {
    return this.#available
  }

  get isWhole(): boolean {
    return this.#available.equals(this.total)
  }

  canAllocate(need: ResourceSet): boolean {
    return this.lacks(need).length === 0
  }

  /** Could the pool hold it if nothing were given out? */
  canEverAllocate(need: ResourceSet): boolean {
    if (!need.fitsIn(this.total)) return false
    for (const [name, totals] of this.#deviceTotals) {
      if (need.get(name) > 0 && pick(totals, need.get(name)) === undefined) return false
    }
    return true
  }

  /** Names of resources of which too little is free. */
  lacks(need: ResourceSet): string[] {
    const names = need.lacksIn(this.#available)
    for (const [name, free] of this.#devices) {
      const parts = need.get(name)
      if (parts > 0 && !names.includes(name) && pick(free, parts) === undefined) names.push(name)
    }
    return names
  }

  allocate(need: ResourceSet): Allocation | undefined {
    if (!need.fitsIn(this.#available)) return undefined
    const devices = new Map<string, readonly DeviceShare[]>()
    for (const [name, free] of this.#devices) {
      const parts = need.get(name)
      if (parts === 0) continue
      const shares = pick(free, parts)
      if (shares === undefined) return undefined
      devices.set(name, shares)
    }
    for (const [name, shares] of devices) this.#move(name, shares, -1)
    this.#available = this.#available.minus(need)
    return { resources: need, devices }
  }

  release(allocation: Allocation): void {
    for (const [name, shares] of allocation.devices) this.#move(name, shares, 1)
    this.#available = this.#available.plus(allocation.resources)
  }

  /** Lends out what an allocation holds of one resource while its task waits. */
  lend(resources: ResourceSet): void {
    this.#available = this.#available.plus(resources)
  }

  /** Takes it back, below zero if it has been given out meanwhile. */
  retake(resources: ResourceSet): void {
    this.#available = this.#available.minus(resources)
  }

  validate(): void {
    for (const [name, free] of this.#devices) {
      let sum = 0
      for (const [device, parts] of free) {
        const most = this.#deviceTotals.get(name)?.get(device) ?? 0
        assert(parts >= 0 && parts <= most, `${name} ${device} has ${parts} of ${most} parts free`)
        sum += parts
      }
      assert(sum === this.#available.get(name), `free shares of ${name} add up`)
    }
    for (const [name, parts] of this.#available.amounts) {
      assert(parts <= this.total.get(name), `no more ${name} is free than there is`)
    }
  }

  #move(name: string, shares: readonly DeviceShare[], sign: 1 | -1): void {
    const free = this.#devices.get(name)
    assert(free !== undefined, `${name} comes as devices`)
    for (const share of shares) {
      free.set(share.device, (free.get(share.device) ?? 0) + sign * share.parts)
    }
  }
}

function pick(free: ReadonlyMap<number, number>, parts: number): DeviceShare[] | undefined {
  if (parts < unitParts) {
    let best: number | undefined
    let bestFree = Infinity
    for (const [device, room] of free) {
      if (room >= parts && room < bestFree) {
        best = device
        bestFree = room
      }
    }
    return best === undefined ? undefined : [{ device: best, parts }]
  }
  const shares: DeviceShare[] = []
  let wanted = parts
  for (const [device, room] of free) {
    if (wanted > 0 && room === unitParts) {
      shares.push({ device, parts: unitParts })
      wanted -= unitParts
    }
  }
  return wanted === 0 ? shares : undefined
}
