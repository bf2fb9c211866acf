// Folds lines that many workers write at about the same time into one.
//
// As in Ray: a pattern is a line without its words that contain digits. The first line of a pattern
// is shown at once, and so is all that its writer adds to it. What other workers write of the
// pattern is counted, and after a while the last of it is shown with the count.

import { repeatedLinesMs, repeatedPatternsMax } from '../base/limits.js'

/** A line to show; `repeated` when it stands for more than itself. */
export interface ShownLine<Source> {
  readonly source: Source
  readonly line: string
  readonly repeated?: number
}

interface Pattern<Source> {
  /** When its oldest line that counts was written. */
  since: number
  /** Lines that were not shown. */
  count: number
  line: string
  source: Source
  /** Who wrote the first one, and whether somebody else did too. */
  readonly firstWriter: number
  isShared: boolean
}

export class LineDeduplicator<Source extends { readonly pid: number }> {
  /** Oldest first. */
  readonly #patterns = new Map<string, Pattern<Source>>()

  /** When `due` has something to show; Infinity while nothing is held back. */
  get deadline(): number {
    for (const { since, count } of this.#patterns.values()) {
      if (count > 0) return since + repeatedLinesMs
    }
    return Infinity
  }

  /** The lines of a source that are to be shown now. */
  add(source: Source, lines: readonly string[], now: number): ShownLine<Source>[] {
    const shown: ShownLine<Source>[] = []
    for (const line of lines) {
      if (!this.#isHeld(source, line, now)) shown.push({ source, line })
    }
    while (this.#patterns.size > repeatedPatternsMax) this.#takeOldest(now, shown)
    return shown
  }

  #isHeld(source: Source, line: string, now: number): boolean {
    const key = patternOf(line)
    // Numbers alone are all that there is to know.
    if (key === '') return false
    const pattern = this.#patterns.get(key)
    if (pattern === undefined) {
      const firstWriter = source.pid
      this.#patterns.set(key, { since: now, count: 0, line, source, firstWriter, isShared: false })
      return false
    }
    pattern.isShared ||= pattern.firstWriter !== source.pid
    if (!pattern.isShared) return false
    pattern.count++
    pattern.line = line
    pattern.source = source
    return true
  }

  /** The lines whose time has come. */
  due(now: number): ShownLine<Source>[] {
    const shown: ShownLine<Source>[] = []
    for (const { since } of this.#patterns.values()) {
      if (now - since < repeatedLinesMs) break
      this.#takeOldest(now, shown)
    }
    return shown
  }

  #takeOldest(now: number, shown: ShownLine<Source>[]): void {
    for (const [key, pattern] of this.#patterns) {
      this.#patterns.delete(key)
      show(pattern, shown)
      // A pattern that went on repeating is likely to go on.
      if (pattern.count > 1 && this.#patterns.size < repeatedPatternsMax) {
        this.#patterns.set(key, { ...pattern, since: now, count: 0 })
      }
      return
    }
  }

  /** All that is held back; nothing is known any more afterwards. */
  flush(): ShownLine<Source>[] {
    const shown: ShownLine<Source>[] = []
    for (const pattern of this.#patterns.values()) show(pattern, shown)
    this.#patterns.clear()
    return shown
  }
}

function show<Source>(pattern: Pattern<Source>, shown: ShownLine<Source>[]): void {
  const { source, line, count } = pattern
  if (count > 1) shown.push({ source, line, repeated: count })
  else if (count === 1) shown.push({ source, line })
}

const digit = /\d/

function patternOf(line: string): string {
  if (!digit.test(line)) return line.trim()
  return line
    .split(' ')
    .filter((word) => word !== '' && !digit.test(word))
    .join(' ')
}
