/** Where the bytes of one object copy are on this node; the raylet says it, clients follow it. */
export interface Location {
  /** Descriptor in the raylet process: the arena, or a spill file. Opened by /proc/<pid>/fd/N. */
  readonly file: number
  /** A multiple of the page size. */
  readonly offset: number
  readonly sizeBytes: number
  /** The first this many bytes lie on pages that exist already; see arena.ts. */
  readonly warmBytes: number
}
