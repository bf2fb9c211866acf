// When to say something that stays true: after a while, and then again now and then.

import { infeasibleFirstMs, infeasibleRepeatMs } from './limits.js'

export class RepeatedWarnings {
  /** When each is to be said next. Added by `begin`, removed by `end`. */
  readonly #nextAt = new Map<string, number>()

  get deadline(): number {
    let first = Infinity
    for (const at of this.#nextAt.values()) first = Math.min(first, at)
    return first
  }

  begin(key: string, now: number): void {
    if (!this.#nextAt.has(key)) this.#nextAt.set(key, now + infeasibleFirstMs)
  }

  end(key: string): void {
    this.#nextAt.delete(key)
  }

  /** Exactly these are true now. */
  keep(keys: ReadonlySet<string>, now: number): void {
    for (const key of this.#nextAt.keys()) if (!keys.has(key)) this.end(key)
    for (const key of keys) this.begin(key, now)
  }

  /** Those whose time has come; each is to be said now. */
  take(now: number): string[] {
    const due: string[] = []
    for (const [key, at] of this.#nextAt) {
      if (at > now) continue
      due.push(key)
      this.#nextAt.set(key, now + infeasibleRepeatMs)
    }
    return due
  }
}
