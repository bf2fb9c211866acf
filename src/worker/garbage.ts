// Refs and views die only when they are collected. When memory or leases are short the raylet asks for that.

import v8 from 'node:v8'
import vm from 'node:vm'

let collect: (() => void) | null = null

/** Collects garbage soon, not in the middle of what runs now. `gc` is reachable through a V8 flag in a new context. */
export function requestGarbageCollection(): void {
  if (collect === null) {
    v8.setFlagsFromString('--expose-gc')
    collect = vm.runInNewContext('gc') as () => void
  }
  setImmediate(collect).unref()
}

