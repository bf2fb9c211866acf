// A variable that several shipped functions share and one of them assigns.
//
// Its name is rewritten to `cell.v` in their source, so each function can still be compiled by
// itself, at its own lines. Calls go through `get()`: `cell.v()` would hand the cell to the
// function as its `this`.

import { reserved } from './syntax.js'

/** A cell is captured under this and the name of the variable, so that the name stays known. */
export const cellPrefix = `${reserved}c_`

export class Cell {
  v: unknown = undefined

  get(): unknown {
    return this.v
  }
}

const cells = new WeakMap<Function, ReadonlyMap<string, Cell>>()

/**
 * The cells that a class was rebuilt with, by the names it captured them under; undefined for an
 * original.
 */
export function cellsOf(type: Function): ReadonlyMap<string, Cell> | undefined {
  return cells.get(type)
}

export function rememberCells(type: Function, captured: ReadonlyMap<string, Cell>): void {
  cells.set(type, captured)
}
