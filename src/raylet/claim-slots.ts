// The raylet's side of the claim slots; see wire/claim-slot.ts.

import { closeSync, readSync, writeSync } from 'node:fs'
import { readI32 } from '../base/bytes.js'
import { createMemory, type Memory } from '../store/index.js'
import { claimSlotBytes, claimSlotsMax, claimStarted, claimStartedOffset } from '../wire/claim-slot.js'

export class ClaimSlots {
  readonly #memory: Memory
  readonly #free: number[] = []
  readonly #slot = new Uint8Array(claimSlotBytes)

  constructor() {
    this.#memory = createMemory('typeray-claims', claimSlotBytes * claimSlotsMax)
    for (let slot = claimSlotsMax - 1; slot >= 0; slot--) this.#free.push(slot)
  }

  get file(): number {
    return this.#memory.fd
  }

  get sizeBytes(): number {
    return this.#memory.sizeBytes
  }

  /** -1 when there are none left: such a worker has one task in flight at a time. */
  acquire(): number {
    const slot = this.#free.pop()
    if (slot === undefined) return -1
    writeSync(this.#memory.fd, new Uint8Array(claimSlotBytes), 0, claimSlotBytes, at(slot))
    return slot
  }

  release(slot: number): void {
    if (slot >= 0) this.#free.push(slot)
  }

  /** Tasks of its lease that the worker had started; -1 for a worker without a slot. */
  started(slot: number): number {
    if (slot < 0) return -1
    readSync(this.#memory.fd, this.#slot, 0, claimSlotBytes, at(slot))
    return claimStarted(readI32(this.#slot, claimStartedOffset))
  }

  close(): void {
    closeSync(this.#memory.fd)
  }
}

const at = (slot: number): number => slot * claimSlotBytes
