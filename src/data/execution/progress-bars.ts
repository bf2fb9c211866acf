// A line per operator on a terminal, redrawn in place while blocks are being made.

import type { BlockMetadata } from '../block/metadata.js'
import type { PhysicalPlan } from '../physical/operators.js'

/** Where bars are drawn: a terminal. */
export interface Screen {
  readonly columns?: number
  write(text: string): unknown
}

interface Line {
  readonly name: string
  /** Undefined where a limit decides. */
  readonly blocksTotal: number | undefined
  blocks: number
  rows: number
}

/** Time between two drawings, so that drawing costs nothing. */
const pauseMs = 100
const barWidth = 20
const nameWidthMax = 40

export class ProgressBars {
  readonly #screen: Screen
  readonly #lines: ReadonlyMap<string, Line>
  readonly #startedMs = performance.now()
  #drawnMs = Number.NEGATIVE_INFINITY
  #drawnLines = 0

  constructor(plan: PhysicalPlan, screen: Screen) {
    this.#screen = screen
    this.#lines = new Map(linesOf(plan).map((line) => [line.name, line]))
  }

  add(operator: string, { rows }: Pick<BlockMetadata, 'rows'>): void {
    const line = this.#lines.get(operator)
    if (line === undefined) return
    line.blocks++
    line.rows += rows
    if (performance.now() - this.#drawnMs >= pauseMs) this.#draw()
  }

  /** Leaves the last state on the screen. */
  end(): void {
    if (this.#drawnLines > 0) this.#draw()
    this.#drawnLines = 0
  }

  #draw(): void {
    this.#drawnMs = performance.now()
    const up = this.#drawnLines > 0 ? `\u001B[${this.#drawnLines}A` : ''
    const lines = [...this.#lines.values()]
    const seconds = ((this.#drawnMs - this.#startedMs) / 1000).toFixed(1)
    const width = (this.#screen.columns ?? 100) - 1
    const text = lines.map((line) => `\u001B[2K${formatLine(line, seconds).slice(0, width)}\n`)
    this.#screen.write(up + text.join(''))
    this.#drawnLines = lines.length
  }
}

function linesOf(plan: PhysicalPlan): Line[] {
  const { source, operators } = plan
  const made = { blocks: 0, rows: 0 }
  const first =
    source.kind === 'union'
      ? source.inputs.flatMap(linesOf)
      : source.kind === 'source'
        ? [{ name: source.name, blocksTotal: source.inputs.length, ...made }]
        : []
  // A limit ends what comes behind it, and what was before it too.
  const isLimited = operators.some(({ kind }) => kind === 'limit')
  const blocksTotal = source.kind === 'blocks' ? source.bundles.length : first[0]?.blocksTotal
  const rest = operators
    .filter(({ kind }) => kind === 'map')
    .map(({ name }) => ({ name, blocksTotal, ...made }))
  return [...first, ...rest].map((line) => {
    return isLimited ? { ...line, blocksTotal: undefined } : line
  })
}

function formatLine({ name, blocks, rows, blocksTotal }: Line, seconds: string): string {
  const label = name.length > nameWidthMax ? `${name.slice(0, nameWidthMax - 3)}...` : name
  const done = rows.toLocaleString('en')
  const total = blocksTotal === undefined ? '' : `/${blocksTotal}`
  const share = blocksTotal === undefined ? 0 : Math.min(1, blocks / Math.max(1, blocksTotal))
  const full = Math.round(share * barWidth)
  const bar = blocksTotal === undefined ? '' : `${'█'.repeat(full)}${'░'.repeat(barWidth - full)} `
  return `${label.padEnd(nameWidthMax)} ${bar}${blocks}${total} blocks, ${done} rows, ${seconds} s`
}
