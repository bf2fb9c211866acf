// One identity per class, in all processes.
//
// A class that travels by value is compiled anew on the other side, so `instanceof` would fail for
// instances and errors that come home. Hence every function gets a definition id when it is first
// serialised, and keeps it wherever it goes: the id is part of its node, a process that rebuilds it
// registers it, and one that serialises it again writes the same id. A process asked to rebuild a
// class whose id it knows uses the class it has; at home that is the original.
//
// Ids are a random name of the process and a count: two processes that evaluate the same class
// expression made two classes, and content alone would merge them. Functions are held weakly; an id
// nobody uses any more is forgotten.
//
// Classes that travel by import need no id: the module cache of each process already gives one
// class.

import { randomBytes } from '../base/random.js'

const process48 = randomBytes(6).toString('hex')
const ids = new WeakMap<Function, string>()
const definitions = new Map<string, WeakRef<Function>>()
const forget = new FinalizationRegistry<string>((id) => {
  if (definitions.get(id)?.deref() === undefined) definitions.delete(id)
})
let count = 0

/** The id of a function, given now if it has none. */
export function assignDefinitionId(fn: Function): string {
  const known = ids.get(fn)
  if (known !== undefined) return known
  const id = `${process48}-${++count}`
  registerDefinition(id, fn)
  return id
}

/**
 * Binds an id that arrived with a function. The first function of an id stays the one that is found
 * by it.
 */
export function registerDefinition(id: string, fn: Function): void {
  ids.set(fn, id)
  if (definitions.get(id)?.deref() !== undefined) return
  definitions.set(id, new WeakRef(fn))
  forget.register(fn, id)
}

/** The id of a function that was serialised or rebuilt in this process. */
export function definitionIdOf(fn: Function): string | undefined {
  return ids.get(fn)
}

/**
 * The function of this process with that id: the original where it was written, the rebuilt one
 * elsewhere.
 */
export function definitionById(id: string): Function | undefined {
  return definitions.get(id)?.deref()
}
