// A variable that several shipped functions share and one of them assigns.
//
// Its name is rewritten to `cell.v` in their source, so each function can still be compiled by itself, at its own lines.
// Calls go through `get()`: `cell.v()` would hand the cell to the function as its `this`.

export class Cell {
  v: unknown = undefined

  get(): unknown {
    return this.v
  }
}
