// A probe is one contestant's way of doing the work of one row: Typeray's, Ray's, piscina's, or a
// limit of the machine. Each lives in a process of its own, so that a crash, a hang or a heap full
// of garbage stays with its row.

interface Closable {
  close?(): Promise<void>
}

/** Work that is repeated for a whole round; the value is units per second. */
export interface RateProbe extends Closable {
  readonly kind: 'rate'
  readonly unitsPerStep: number
  step(): unknown
}

/**
 * Work that is repeated for a whole round; the value is the mean time of one step, in units of
 * `unitMs`.
 */
export interface DurationProbe extends Closable {
  readonly kind: 'duration'
  readonly unitMs: number
  step(): unknown
}

/** Work that measures itself; `roundMs` is a wish, not an obligation. */
export interface SampleProbe extends Closable {
  readonly kind: 'sample'
  sample(roundMs: number): Promise<number>
}

export type Probe = RateProbe | DurationProbe | SampleProbe
export type OpenProbe = () => Promise<Probe>
export type ProbeTable = Readonly<Record<string, OpenProbe>>

export type Contestant = 'typeray' | 'piscina' | 'limit'

export type ProbeRequest =
  | { readonly op: 'open'; readonly row: string; readonly roundMs: number }
  | { readonly op: 'round' }
  | { readonly op: 'close' }
  | { readonly op: 'quit' }

export interface ProbeReply {
  readonly value?: number
  readonly error?: string
}
