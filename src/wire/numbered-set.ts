// Things in the order in which they were first met, each once, with its number.

export class NumberedSet<T> {
  readonly list: T[] = []
  /** Made for the first thing: most values have none. */
  private numbers: Map<T, number> | undefined

  /** The number of `thing`, which is added if it is new. */
  indexOf(thing: T): number {
    this.numbers ??= new Map()
    let index = this.numbers.get(thing)
    if (index === undefined) {
      index = this.list.push(thing) - 1
      this.numbers.set(thing, index)
    }
    return index
  }
}
