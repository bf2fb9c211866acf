// The nodes that have a copy of one stored object, or are about to.
//
// One copy is primary: it is spilled when memory is short, while the others are evicted. When its
// node dies the next one becomes primary.
//
// Whoever wants the object is told where to take it from, and is a source for the next from then
// on, although it has nothing yet: it passes on the pieces that it has received. The next goes to
// the source that serves fewest, so that many readers at once form a chain or a flat tree in which
// each node sends the object about once, and the first does not send it to all.
//
// Readers stand in the order in which they asked, and take only from what stands before them; one
// that asks again goes to the end. So nobody ever waits for itself through others.

import { nodeNumberOf, type ProcessId, rayletProcess } from '../base/ids.js'
import { transferChunkBytes, transferSourcesMax } from '../base/limits.js'

interface Copy {
  readonly node: number
  isComplete: boolean
  /** Where it is read from; empty once it is complete. */
  sources: readonly number[]
  /** Copies between it and the one that was there first. */
  depth: number
}

/** What an object is worth as a source falls with each copy between it and the first. */
const depthWeight = 1 / 8

export class ObjectCopies {
  readonly sizeBytes: number
  #copies: Copy[]

  constructor(node: number, sizeBytes: number) {
    this.sizeBytes = sizeBytes
    this.#copies = [{ node, isComplete: true, sources: [], depth: 0 }]
  }

  /** Undefined when nobody has all of it. */
  get primary(): number | undefined {
    return this.#copies.find(({ isComplete }) => isComplete)?.node
  }

  /** Also those that are about to have a copy. */
  nodes(): number[] {
    return this.#copies.map(({ node }) => node)
  }

  /** Nodes with all of it. */
  complete(): number[] {
    return this.#copies.filter(({ isComplete }) => isComplete).map(({ node }) => node)
  }

  has(node: number): boolean {
    return this.#copies.some((copy) => copy.node === node)
  }

  /**
   * Where the node of a reader takes it from; empty when it has it. It is about to have a copy. A
   * raylet asks for itself when the sources that it was told do not give, or with a hint that tasks
   * wait which read it.
   */
  sourcesFor(reader: ProcessId, isHint = false): readonly number[] {
    const node = nodeNumberOf(reader)
    const known = this.#copies.find((copy) => copy.node === node)
    const isAgain = reader === rayletProcess(node) && !isHint
    if (known !== undefined && !isAgain) return known.sources
    if (known?.isComplete === true) return []
    this.#copies = this.#copies.filter((copy) => copy !== known)
    const [best, ...others] = this.#ranked()
    if (best === undefined) return []
    const isLarge = this.sizeBytes >= 2 * transferChunkBytes
    const idle = others.filter((copy) => copy.isComplete && this.#readers(copy) === 0)
    const more = isLarge && best.isComplete ? idle.slice(0, transferSourcesMax - 1) : []
    const sources = [best, ...more].map((copy) => copy.node)
    this.#copies.push({ node, isComplete: false, sources, depth: best.depth + 1 })
    return sources
  }

  completed(node: number): void {
    const copy = this.#copies.find((each) => each.node === node)
    if (copy === undefined) {
      this.#copies.push({ node, isComplete: true, sources: [], depth: 0 })
      return
    }
    copy.isComplete = true
    copy.sources = []
    copy.depth = 0
  }

  /** True: there was one. */
  remove(node: number): boolean {
    const before = this.#copies.length
    this.#copies = this.#copies.filter((copy) => copy.node !== node)
    return this.#copies.length < before
  }

  /** The best source first. */
  #ranked(): Copy[] {
    // A piece can be passed on before the rest has come; an object of one piece cannot.
    const weight = this.sizeBytes > transferChunkBytes ? depthWeight : 1
    const scored = this.#copies.map((copy) => ({
      copy,
      score: this.#readers(copy) + copy.depth * weight,
    }))
    return scored.sort((a, b) => a.score - b.score).map(({ copy }) => copy)
  }

  #readers({ node }: Copy): number {
    return this.#copies.filter(({ sources }) => sources.includes(node)).length
  }
}
