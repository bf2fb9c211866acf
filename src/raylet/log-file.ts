// A file that lines are added to, of bounded size and without ever holding up its writer's thread.
//
// Lines wait in memory for the write before them. When too many do, whoever writes them is told to
// stop for a while. A write that fails loses its lines and nothing else: they are counted, and the
// count is the first line of the next write that works. A file that has grown too large becomes
// `name.1`, the one before it `name.2`, and the oldest goes.

import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { logWaitingCharsMax } from '../base/limits.js'

export interface LogFileOptions {
  /** A file of this size is rotated. */
  readonly rotateBytes: number
  /** How many rotated files stay. */
  readonly backups: number
  /** Lines were lost, and why. */
  readonly lost: (lines: number, error: Error) => void
}

export class LogFile {
  #path: string
  readonly #options: LogFileOptions
  #waiting: string[] = []
  #waitingLines = 0
  #waitingChars = 0
  #handle: FileHandle | null = null
  #sizeBytes = 0
  /** Lines lost since the last write that worked. */
  #lostLines = 0
  #writing: Promise<void> | null = null
  #drained: (() => void)[] = []

  constructor(path: string, options: LogFileOptions) {
    this.#path = path
    this.#options = options
  }

  /** The file has another name from now on; the caller has renamed it, if it was there. */
  movedTo(path: string): void {
    this.#path = path
  }

  /** Adds lines. False: enough for now; `whenDrained` calls back when there is room again. */
  write(lines: readonly string[]): boolean {
    const text = `${lines.join('\n')}\n`
    this.#waiting.push(text)
    this.#waitingLines += lines.length
    this.#waitingChars += text.length
    this.#writing ??= this.#run()
    return this.#waitingChars <= logWaitingCharsMax
  }

  whenDrained(call: () => void): void {
    if (this.#writing === null) call()
    else this.#drained.push(call)
  }

  /** Writes what waits, and closes. More may be written after it: the file is opened again. */
  async close(): Promise<void> {
    while (this.#writing !== null) await this.#writing
    await this.#closeHandle()
  }

  async #run(): Promise<void> {
    // What else is written in this turn goes along.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const text = this.#waiting.join('')
      const lines = this.#waitingLines
      this.#waiting = []
      this.#waitingLines = 0
      this.#waitingChars = 0
      try {
        await this.#append(text)
      } catch (error) {
        this.#lostLines += lines
        this.#options.lost(lines, error instanceof Error ? error : new Error(String(error)))
        await this.#closeHandle()
      }
      if (this.#waitingChars <= logWaitingCharsMax) {
        for (const call of this.#drained.splice(0)) call()
      }
    }
    this.#writing = null
  }

  async #append(text: string): Promise<void> {
    const gap = this.#lostLines === 0 ? '' : `[typeray: ${this.#lostLines} lines were lost here]\n`
    const bytes = Buffer.from(gap + text)
    if (this.#handle === null) await this.#open()
    if (this.#sizeBytes > 0 && this.#sizeBytes + bytes.length > this.#options.rotateBytes) {
      await this.#rotate()
    }
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#handle!.write(bytes, at)
      at += bytesWritten
      this.#sizeBytes += bytesWritten
    }
    this.#lostLines = 0
  }

  async #open(): Promise<void> {
    this.#handle = await open(this.#path, 'a', 0o600)
    this.#sizeBytes = (await this.#handle.stat()).size
  }

  async #rotate(): Promise<void> {
    await this.#closeHandle()
    const { backups } = this.#options
    if (backups === 0) await rm(this.#path, { force: true })
    for (let i = backups; i > 0; i--) {
      const from = i === 1 ? this.#path : `${this.#path}.${i - 1}`
      await rename(from, `${this.#path}.${i}`).catch(ignoreMissing)
    }
    await this.#open()
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle
    this.#handle = null
    // What a full disk took is noticed by the write, not here.
    await handle?.close().catch(() => undefined)
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
