// What happened, in one line per event. The lines are hashed, so that two runs can be compared, and
// the last of them are kept, so that a failure can tell its story.

/** Lines that are kept; a failing run repeats with the same seed, so there is no need for all. */
const linesKept = 50_000

export class Trace {
  #hash = 0x811c9dc5
  readonly #lines: string[] = []
  #count = 0
  /** Called with every line, for a run that is watched. */
  watch: ((line: string) => void) | undefined

  get count(): number {
    return this.#count
  }

  /** FNV-1a over all lines so far. */
  get hash(): string {
    return this.#hash.toString(16).padStart(8, '0')
  }

  note(line: string): void {
    let hash = this.#hash
    for (let i = 0; i < line.length; i++) {
      hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193)
    }
    this.#hash = Math.imul(hash ^ 10, 0x01000193) >>> 0
    this.#lines[this.#count++ % linesKept] = line
    this.watch?.(line)
  }

  /** The last lines in which one of the ids occurs as a word. */
  story(ids: readonly string[], max = 40): string[] {
    const found: string[] = []
    const oldest = Math.max(0, this.#count - linesKept)
    for (let i = this.#count - 1; i >= oldest && found.length < max; i--) {
      const line = this.#lines[i % linesKept] ?? ''
      const words = line.split(' ')
      if (ids.length === 0 || ids.some((id) => words.includes(id))) found.push(line)
    }
    return found.reverse()
  }
}
