// A table that forgets what nobody else holds.

export class WeakTable<K, V extends object> {
  readonly #entries = new Map<K, WeakRef<V>>()
  readonly #gone = new FinalizationRegistry<K>((key) => {
    // Another may have taken its place.
    if (this.#entries.get(key)?.deref() === undefined) this.#entries.delete(key)
  })

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.deref()
  }

  set(key: K, value: V): void {
    this.#entries.set(key, new WeakRef(value))
    this.#gone.register(value, key)
  }
}
