import { constants } from 'node:os'
import { libc, systemError } from './libc.js'

const prSetParentDeathSignal = 1

/**
 * Makes the kernel send `signal` to this process when its parent dies, in a tight loop too.
 *
 * The kernel means the parent's *thread*: a child that a worker thread of the parent started dies
 * with that thread. `parentPid` is who the caller believes its parent to be; a parent that died
 * before the call is found by asking again afterwards, and then the signal is raised here.
 */
export function setParentDeathSignal(signal: NodeJS.Signals, parentPid: number): void {
  const result = libc().prctl(prSetParentDeathSignal, constants.signals[signal])
  if (result !== 0) throw systemError('prctl', libc().errno())
  if (process.ppid !== parentPid) process.kill(process.pid, signal)
}
