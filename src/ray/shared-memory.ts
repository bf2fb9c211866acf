// Memory that several processes of one node write, for libraries that need more than objects.

import { createMemory, mapShared } from '../worker/index.js'
import { closeSync } from 'node:fs'

/** Where the processes of a node find a piece of shared memory. It may be sent in messages. */
export interface SharedMemory {
  readonly pid: number
  readonly fd: number
  readonly sizeBytes: number
}

/** Shared memory as the process that made it has it. */
export interface CreatedMemory {
  readonly memory: SharedMemory
  readonly bytes: Uint8Array
  /** From here on no process can open it. Those that have it keep it until they drop its bytes. */
  close(): void
}

/** Makes shared memory, of zeros. It has no name, and goes with the last process that has it. */
export function createSharedMemory(name: string, sizeBytes: number): CreatedMemory {
  const memory = { ...createMemory(name, sizeBytes), pid: process.pid }
  return {
    memory,
    bytes: mapShared(process.pid, memory),
    close: () => closeSync(memory.fd),
  }
}

/** Maps shared memory that a process of this node has made and not closed. */
export function openSharedMemory(memory: SharedMemory): Uint8Array {
  return mapShared(memory.pid, memory)
}
