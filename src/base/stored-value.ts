// Values that go to the object store although they would fit into a message.
//
// Small results travel to their owner and stay in its memory, which is the fastest. Who has very
// many of them does not want them all there: the store spills, and a program does not. The mark is
// a registered symbol, as this module may be loaded twice in a process.

const storedKey = Symbol.for('typeray.stored')

/** Marks a result: it is stored whatever its size. */
export function storeAnyway(value: object): void {
  Object.defineProperty(value, storedKey, { value: true, configurable: true })
}

export function isStoredAnyway(value: unknown): boolean {
  return typeof value === 'object' && value !== null && storedKey in value
}
