// What runs in a worker for a pool.

import path from 'node:path'
import { pathToFileURL } from 'node:url'

export type PoolFunction = (task: unknown) => unknown

/** Functions of this process by module and export; modules are imported once. */
const loaded = new Map<string, PoolFunction>()

export function moduleUrl(filename: string): string {
  return /^(file|data|node):/.test(filename) ? filename : pathToFileURL(path.resolve(filename)).href
}

/** The export of a module. CommonJS has its exports under `default`, too. */
export function runExport(url: string, name: string, task: unknown): unknown {
  const run = loaded.get(`${url} ${name}`)
  return run === undefined ? loadExport(url, name).then((found) => found(task)) : run(task)
}

async function loadExport(url: string, name: string): Promise<PoolFunction> {
  const module = (await import(url)) as Record<string, unknown>
  const whole = module['default'] as Record<string, unknown> | undefined
  const found = module[name] ?? whole?.[name]
  const run = typeof found === 'function' ? found : whole?.['default']
  if (typeof run !== 'function' || (run !== found && name !== 'default')) {
    throw new TypeError(`${url} exports no function '${name}'.`)
  }
  loaded.set(`${url} ${name}`, run as PoolFunction)
  return run as PoolFunction
}

/** A result with the times of its start and end, in milliseconds that all processes share. */
export type Timed = readonly [value: unknown, startedMs: number, endedMs: number]

export const sharedNow = (): number => performance.timeOrigin + performance.now()

export async function runTimed(run: PoolFunction, task: unknown): Promise<Timed> {
  const startedMs = sharedNow()
  const value = await run(task)
  return [value, startedMs, sharedNow()]
}
