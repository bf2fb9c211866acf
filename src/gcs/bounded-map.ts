/** A memory of the last `max` keys that were set; the oldest is forgotten first. */
export class BoundedMap<K, V> {
  readonly #max: number
  readonly #map = new Map<K, V>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  values(): IterableIterator<V> {
    return this.#map.values()
  }

  delete(key: K): void {
    this.#map.delete(key)
  }

  entries(): IterableIterator<[K, V]> {
    return this.#map.entries()
  }

  /** Returns the key that was forgotten for it. */
  set(key: K, value: V): K | undefined {
    this.#map.set(key, value)
    if (this.#map.size <= this.#max) return undefined
    const { value: oldest } = this.#map.keys().next()
    if (oldest !== undefined) this.#map.delete(oldest)
    return oldest
  }
}
