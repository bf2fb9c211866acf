// A function as a worker runs it: how long it takes, and whether it must be interruptible.

import { types } from 'node:util'
import vm from 'node:vm'
import { nextAverage } from './running-average.js'
import type { Code } from './function-exports.js'

/** Results are sent before a function that takes longer is started; they wait for shorter ones. */
const slowUs = 300
/** Functions that take less on average run bare; others so that a cancel can interrupt them. */
const interruptibleUs = 1000

export class LoadedFunction {
  readonly name: string
  readonly run: (...args: unknown[]) => unknown
  averageUs = 0
  measured = 0
  /** What stands for its name in the report of tasks of this generation. */
  nameNumber = 0
  nameGeneration = -1

  constructor(name: string, code: Code) {
    this.name = name
    this.run = code as unknown as (...args: unknown[]) => unknown
  }

  #calls = 0

  /** Counts a run of a function that may run only so often in one worker: is this the last? */
  isLastCall(maxCalls: number): boolean {
    return ++this.#calls >= maxCalls
  }

  measure(durationUs: number): void {
    this.averageUs = nextAverage(this.averageUs, this.measured++, durationUs)
  }

  /** New, or long: results must not wait behind it. */
  get isSlow(): boolean {
    return this.measured < 2 || this.averageUs > slowUs
  }

  get isInterruptible(): boolean {
    return this.measured < 3 || this.averageUs > interruptibleUs
  }
}

const slot = Symbol.for('typeray.interruptible')
let script: vm.Script | null = null
const holder: { run: (() => unknown) | null } = { run: null }

/**
 * Runs synchronous code so that SIGINT stops it, a `for(;;)` too, and the process goes on. Costs
 * about 29 us. Throws an error with code ERR_SCRIPT_EXECUTION_INTERRUPTED when it was stopped.
 */
export function runInterruptibly(run: () => unknown): unknown {
  if (script === null) {
    Object.defineProperty(globalThis, slot, { value: holder })
    script = new vm.Script(`globalThis[Symbol.for('typeray.interruptible')].run()`, {
      filename: 'typeray:task',
    })
  }
  const outer = holder.run
  holder.run = run
  try {
    return script.runInThisContext({ breakOnSigint: true, displayErrors: false })
  } finally {
    holder.run = outer
  }
}

export function isInterrupt(error: unknown): boolean {
  // Node's own, made by an error class of its own: nothing of it can be a trap.
  if (!types.isNativeError(error)) return false
  const code = Object.getOwnPropertyDescriptor(error, 'code')?.value as unknown
  return code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED'
}
