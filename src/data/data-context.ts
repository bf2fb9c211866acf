// Settings of all datasets of this process.

/**
 * What all datasets of this process go by.
 *
 * @example
 * DataContext.getCurrent().maxErroredBlocks = 10
 */
export class DataContext {
  static readonly #current = new DataContext()

  /**
   * Blocks that may fail in an execution: each is left out, and named on stderr. -1 for any number;
   * 0, the default, ends the execution with the first.
   */
  maxErroredBlocks = 0
  /** Shows a bar per operator while a dataset is computed, if stderr is a terminal. */
  enableProgressBars = true
  /**
   * Where tasks that read run in a cluster of several nodes: 'SPREAD', the default, over all of
   * them, or 'DEFAULT', wherever tasks run. Tasks that work on blocks run where these are.
   */
  schedulingStrategy: 'SPREAD' | 'DEFAULT' = 'SPREAD'

  constructor() {
    // Ray has about a hundred settings: one that is set and is not here must not pass unnoticed.
    Object.seal(this)
  }

  /** The settings of this process; change them where you like. */
  static getCurrent(): DataContext {
    return DataContext.#current
  }
}
