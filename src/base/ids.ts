// Identifiers.
//
// Objects and tasks are made millions of times a second, so their ids are not random: a process
// draws one random 48-bit prefix when it joins the cluster and counts from there. A task's id is
// that of its first return, and the i-th return has the next number but i. Everything else is rare
// and gets random bytes.

import { randomBytes } from './random.js'

/**
 * 48 random bits that name one process of the cluster; the first half of every ObjectId it makes.
 */
export type ProcessId = number

export function newProcessId(): ProcessId {
  return randomBytes(6).readUIntLE(0, 6) || 1
}

export function newId(bytes = 12): string {
  return randomBytes(bytes).toString('hex')
}

const hex12 = (value: number): string => value.toString(16).padStart(12, '0')

/** The 24 hexadecimal digits of an ObjectId: 12 of the owner, 12 of the count. */
export function objectIdHex(owner: ProcessId, sequence: number): string {
  return hex12(owner) + hex12(sequence)
}

export function workerIdHex(process: ProcessId): string {
  return hex12(process)
}
