// Which node decides about what a process says of objects.
//
// An object is counted by the raylet of its owner's node, its home, whoever holds it. A message
// that names objects of several homes is split; each home hears its part in the order in which the
// process spoke.
//
// A value may contain refs of other homes than its own. For each of them the raylet of its home
// holds one count, under the number of its node and the count 0. Whoever passes the value to its
// home lends that count, and the lend goes ahead of the value. It travels on the same link as the
// passer's own release, which can only come later, so there is no moment in which nobody is
// counted. The home gives the count back when it drops the value, and at once when it did not take
// the value at all, because it has one already for example.
//
// Pure.

import { nodeNumberOf, rayletProcess } from '../base/ids.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ObjectEvent } from './object-events.js'

export interface RoutedEvent {
  readonly home: number
  readonly event: ObjectEvent
}

/** The parts of an event by home, in the order in which they must be sent. */
export function routeObjectEvent(event: ObjectEvent, here: number): RoutedEvent[] {
  switch (event.kind) {
    case 'escape':
      return [
        ...event.objects.flatMap(({ contains }) => lends(contains, here)),
        { home: here, event },
      ]
    case 'createActor':
      return [...lends(event.nested, here), { home: here, event }]
    case 'settle':
    case 'seal': {
      const home = nodeNumberOf(event.object[0])
      return [...lends(event.contains, home), { home, event }]
    }
    case 'copyAdded':
    case 'copyRemoved':
      return [{ home: nodeNumberOf(event.object[0]), event }]
    case 'lend':
    case 'unlend':
    case 'free':
    case 'getObjects':
    case 'awaitObjects':
      return byHome(event.objects, keyHome).map(([home, objects]) => ({
        home,
        event: { ...event, objects },
      }))
    case 'release':
      return routeRelease(event)
    default:
      return [{ home: here, event }]
  }
}

/** Whether nothing in it concerns another node: the usual case, and it costs little to see. */
export function isAllHere(event: ObjectEvent, here: number): boolean {
  switch (event.kind) {
    case 'escape':
      return event.objects.every(({ contains }) => areHere(contains, here))
    case 'createActor':
      return areHere(event.nested, here)
    case 'settle':
    case 'seal':
      return keyHome(event.object) === here && areHere(event.contains, here)
    case 'copyAdded':
    case 'copyRemoved':
      return keyHome(event.object) === here
    case 'release': {
      for (let i = 0; i < event.objects.length; i += 2) {
        if (nodeNumberOf(event.objects[i] ?? 0) !== here) return false
      }
      return true
    }
    case 'lend':
    case 'unlend':
    case 'free':
    case 'getObjects':
    case 'awaitObjects':
      return areHere(event.objects, here)
    default:
      return true
  }
}

/** One count for a raylet on each of these that is not its own. */
function lends(contains: readonly ObjectKey[] | undefined, home: number): RoutedEvent[] {
  if (contains === undefined || areHere(contains, home)) return []
  const foreign = contains.filter((key) => keyHome(key) !== home)
  return byHome(foreign, keyHome).map(([at, objects]) => ({
    home: at,
    event: lendTo(rayletProcess(home), objects),
  }))
}

function lendTo(to: number, objects: readonly ObjectKey[]): ObjectEvent {
  return { kind: 'lend', to, objects }
}

function routeRelease(event: Extract<ObjectEvent, { kind: 'release' }>): RoutedEvent[] {
  const keys: ObjectKey[] = []
  for (let i = 0; i + 1 < event.objects.length; i += 2) {
    keys.push([event.objects[i] ?? 0, event.objects[i + 1] ?? 0])
  }
  return byHome(keys, keyHome).map(([home, objects]) => ({
    home,
    event: { ...event, objects: objects.flat() },
  }))
}

function areHere(keys: readonly ObjectKey[] | undefined, here: number): boolean {
  return keys === undefined || keys.every((key) => keyHome(key) === here)
}

export function keyHome([owner]: ObjectKey): number {
  return nodeNumberOf(owner)
}

export function byHome<T>(items: readonly T[], homeOf: (item: T) => number): [number, T[]][] {
  const parts = new Map<number, T[]>()
  for (const item of items) {
    const home = homeOf(item)
    const part = parts.get(home)
    if (part === undefined) parts.set(home, [item])
    else part.push(item)
  }
  return [...parts]
}
