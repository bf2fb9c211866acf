// Identifiers.
//
// Objects and tasks are made millions of times a second, so their ids are not random: a process
// has a number of 48 bits that no other of the cluster has, and counts from there. A task's id is
// that of its first return, and the i-th return has the next number but i. Everything else is rare
// and gets random bytes.
//
// The upper 16 bits of a ProcessId are the number of its node, which the GCS gives out once. So
// whoever holds an id of an object knows the node that decides about it, without asking anybody.

import { randomBytes } from './random.js'

/**
 * 48 bits that name one process of the cluster; the first half of every ObjectId it makes.
 */
export type ProcessId = number

/** The node of a session that has only one, and of the head. */
export const firstNodeNumber = 1
/** Node numbers are smaller than this. */
export const nodeNumbersEnd = 2 ** 16

const processesPerNode = 2 ** 32
/** Ids of workers count from one below this; those of drivers are random above it. */
const firstDriver = 2 ** 31

/** The id of the `count`-th worker of a node. */
export function workerProcess(nodeNumber: number, count: number): ProcessId {
  return nodeNumber * processesPerNode + (1 + (count % (firstDriver - 1)))
}

/** An id for a driver, or for whoever else comes to the node unasked. */
export function newProcessId(nodeNumber: number = firstNodeNumber): ProcessId {
  const local = randomBytes(4).readUInt32LE(0) % firstDriver
  return nodeNumber * processesPerNode + firstDriver + local
}

/** The raylet of a node, where it holds objects itself. */
export function rayletProcess(nodeNumber: number): ProcessId {
  return nodeNumber * processesPerNode
}

export function isRaylet(process: ProcessId): boolean {
  return process % processesPerNode === 0
}

/** Leases of a node are numbered from one above this. */
export function leasesOf(nodeNumber: number): number {
  return nodeNumber * processesPerNode
}

/** The number of the node that a lease is of. */
export function nodeOfLease(lease: number): number {
  return Math.floor(lease / processesPerNode)
}

/** The number of the process's node. */
export function nodeNumberOf(process: ProcessId): number {
  return Math.floor(process / processesPerNode)
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
