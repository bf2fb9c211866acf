// Finds the variables that several functions of one closure share and one of them assigns.
//
// A captured variable is copied. That can be noticed only when a shipped function assigns it and
// another one sees it, so only such variables are looked at. At the top of a file there is one
// variable per name. In inner scopes the same name in the same place may be one variable or
// several: different values, there or in a scope around, prove several; for equal values the probe
// decides; and if it cannot, the closure is refused by name rather than silently changed.

import type { Variable, WrittenFunction } from './function-record.js'
import type { ClosureGraph } from './graph.js'
import type { Ref } from './nodes.js'
import { captured, refuse } from './path.js'
import { variableGroups, type ProbeSubject } from './probe.js'
import { parseFunction } from './syntax.js'

interface Use {
  readonly by: WrittenFunction
  readonly variable: Variable
}

/** For each function, the cells that take the place of its variables. */
export function sharedVariables(
  graph: ClosureGraph,
  functions: readonly WrittenFunction[],
): Map<WrittenFunction, Map<string, Ref>> {
  const uses = new Map<string, Use[]>()
  for (const by of functions) {
    for (const [name, variable] of by.variables) {
      if (variable.depth === undefined) continue
      const key = `${by.view.scriptId}\n${variable.depth}\n${name}`
      const list = uses.get(key)
      if (list) list.push({ by, variable })
      else uses.set(key, [{ by, variable }])
    }
  }
  const cells = new Map<WrittenFunction, Map<string, Ref>>()
  for (const [key, list] of uses) {
    const name = key.slice(key.lastIndexOf('\n') + 1)
    for (const group of groupsThatShare(list, name)) {
      const [first] = group
      if (first === undefined) continue
      const cell = graph.add({ k: 'cell', value: first.variable.ref })
      for (const { by } of group) {
        const own = cells.get(by) ?? new Map<string, Ref>()
        cells.set(by, own.set(name, cell))
      }
    }
  }
  return cells
}

/**
 * The functions for which a variable becomes a cell. For a class it does even if it travels alone
 * and its file assigns the variable somewhere: a later closure may bring a function that shares it
 * to where the class already is.
 */
function groupsThatShare(list: readonly Use[], name: string): (readonly Use[])[] {
  const assigned = list.length > 1 && list.some((use) => use.variable.free.assigned)
  const groups = assigned ? groupByVariable(list, name) : list.map((use) => [use])
  return groups.filter((group) => {
    if (group.length > 1 && group.some((use) => use.variable.free.assigned)) return true
    return group.some(({ by }) => by.record.single && by.script.assigns(name))
  })
}

function groupByVariable(list: readonly Use[], name: string): readonly (readonly Use[])[] {
  if (list.every((use) => use.variable.top)) return [list]
  const candidates: Use[][] = []
  for (const use of list) {
    const like = candidates.find(([first]) => first !== undefined && mayBeSame(first, use))
    if (like) like.push(use)
    else candidates.push([use])
  }
  return candidates.flatMap((group) => {
    if (group.length < 2 || !group.some((use) => use.variable.free.assigned)) return [group]
    const subjects = group.map(({ by }) => probeSubject(by))
    const numbers = variableGroups(subjects, name)
    if (numbers === undefined) return refuseAmbiguous(group, name)
    const split = new Map<number, Use[]>()
    for (const [i, use] of group.entries()) {
      const number = numbers[i] ?? i
      const members = split.get(number)
      if (members) members.push(use)
      else split.set(number, [use])
    }
    return [...split.values()]
  })
}

/** A class cannot be stopped at its entry, but any method written in it sees the same variables. */
function probeSubject({ fn, parsed, text }: WrittenFunction): ProbeSubject {
  if (parsed.kind !== 'class') return { fn, node: parsed.node }
  for (const holder of [fn.prototype as object, fn]) {
    for (const key of Reflect.ownKeys(holder)) {
      const method: unknown = Object.getOwnPropertyDescriptor(holder, key)?.value
      if (typeof method !== 'function' || key === 'constructor') continue
      const source = Function.prototype.toString.call(method)
      if (text.includes(source)) return { fn: method, node: parseFunction(source).node }
    }
  }
  return { fn, node: parsed.node }
}

/**
 * False only if the two certainly have variables of their own: some scope, from theirs outward,
 * differs.
 */
function mayBeSame(a: Use, b: Use): boolean {
  const depth = a.variable.depth ?? 0
  const [scopesA, scopesB] = [a.by.view.scopes, b.by.view.scopes]
  for (let d = depth; d > 0; d--) {
    const one = scopesA[scopesA.length - d]
    const other = scopesB[scopesB.length - d]
    if (one === undefined || other === undefined || one.kind !== other.kind) return false
    const names = Object.keys(one.variables)
    if (names.length !== Object.keys(other.variables).length) return false
    for (const name of names) {
      if (!Object.hasOwn(other.variables, name)) return false
      if (!Object.is(one.variables[name], other.variables[name])) return false
    }
  }
  return true
}

function refuseAmbiguous(group: readonly Use[], name: string): never {
  const [first, second] = group
  const names = [first, second].map((use) => use?.by.fn.name || 'an anonymous function')
  const path = first?.by.path ?? { outer: undefined, label: name }
  return refuse(
    captured(path, name),
    `${names.join(' and ')} may share the variable ${name} and one of them assigns it, but it ` +
      'cannot be found out whether it is one variable (keep it in an object that both use, or ' +
      'submit without a debugger)',
  )
}
