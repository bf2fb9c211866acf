// The raylet's side of the claim slots; see wire/claim-slot.ts.

import { closeSync, readSync, writeSync } from 'node:fs'
import { readI32 } from '../base/bytes.js'
import { createMemory, mapShared, type Memory } from '../store/index.js'
import {
  claimCarriedOffset,
  claimSlotBytes,
  claimSlotsMax,
  claimStarted,
  claimStartedOffset,
  stopClaims,
} from '../wire/claim-slot.js'
import type { ProcessExit } from '../wire/messages/terms.js'

export class ClaimSlots {
  readonly #memory: Memory
  readonly #free: number[] = []
  /** Mapped when the first owner on another node asks. */
  #words: Int32Array | undefined
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

  /** What the worker had started, for the certificate of its death. */
  started(slot: number): Pick<ProcessExit, 'started' | 'carried'> {
    if (slot < 0) return { started: -1 }
    readSync(this.#memory.fd, this.#slot, 0, claimSlotBytes, at(slot))
    const started = claimStarted(readI32(this.#slot, claimStartedOffset))
    const carried = readI32(this.#slot, claimCarriedOffset) - 1
    return carried < 0 ? { started } : { started, carried }
  }

  /** See `stopClaims`. */
  stop(slot: number, lease: number): number {
    if (slot < 0) return -1
    if (this.#words === undefined) {
      const { buffer, byteOffset, byteLength } = mapShared(process.pid, this.#memory)
      this.#words = new Int32Array(buffer, byteOffset, byteLength / 4)
    }
    return stopClaims(this.#words, slot, lease)
  }

  close(): void {
    closeSync(this.#memory.fd)
  }
}

const at = (slot: number): number => slot * claimSlotBytes
