// Keeps the process of the GCS running.
//
// One that dies is started again, at once and then less and less often, with the tables that it has
// stored. After so many deaths in a row there is no point in going on, and the head gives up.
//
// One that hangs is not dead: its sockets stay open, and everybody waits. So it is asked over its
// stdin whether it is there, and answers on its stdout; one that has not answered for as long as a
// node may be silent is killed.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { SessionError } from '../base/errors.js'
import {
  gcsFailuresMax,
  gcsRestartMs,
  gcsRestartMsMax,
  gcsStableMs,
  shutdownMs,
} from '../base/limits.js'
import { type GcsConfig, takenExitCode } from './gcs-config.js'
import { HangWatch } from './hang-watch.js'
import { healthLimitMs } from './health-limit.js'

export interface GcsProcessEvents {
  readonly note: (text: string) => void
  /** It will not be started again. */
  readonly gaveUp: (reason: string) => void
}

export class GcsProcess {
  readonly #config: GcsConfig
  readonly #events: GcsProcessEvents
  #child: ChildProcess | undefined
  /** When it began to listen; Infinity before. */
  #readyAt = Infinity
  /** Deaths in a row, each before it had served for a while. */
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  readonly #silenceMsMax = healthLimitMs(process.env)
  #isClosed = false

  constructor(config: GcsConfig, events: GcsProcessEvents) {
    this.#config = config
    this.#events = events
  }

  /** Settles when it listens. Rejects when the first one ends before that; stderr says why. */
  async start(): Promise<void> {
    const child = this.#spawn()
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', () => {
        if (this.#readyAt !== Infinity) resolve()
      })
      child.once('exit', (code, signal) => {
        const how = signal ?? `exit code ${code}`
        reject(new SessionError(`The process of the GCS could not start (${how}).`))
      })
    })
    if (child.exitCode === null && child.signalCode === null) this.#watch(child)
    else this.#ended(child)
  }

  /** Ends it. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), shutdownMs / 2)
    await ended
    clearTimeout(late)
  }

  #spawn(): ChildProcess {
    const entry = fileURLToPath(new URL('../node/gcs-main.cjs', import.meta.url))
    const child = spawn(process.execPath, [entry], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TYPERAY_GCS: JSON.stringify(this.#config) },
    })
    // Its stdin stays open for as long as this process lives.
    child.stdin?.on('error', () => {})
    child.stdout?.on('error', () => {})
    this.#readyAt = Infinity
    this.#ask(child)
    child.on('error', () => {})
    this.#child = child
    this.#events.note(`the GCS has started, pid ${child.pid ?? 0}`)
    return child
  }

  /** Asks it again and again whether it is there, until it ends. */
  #ask(child: ChildProcess): void {
    const watch = new HangWatch(this.#silenceMsMax, performance.now())
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      watch.answered(performance.now())
      if (text.includes('ready')) this.#readyAt = performance.now()
    })
    const timer = setInterval(() => {
      if (!watch.check(performance.now())) child.stdin?.write('?')
      else {
        const how = `has not answered for ${this.#silenceMsMax} ms, and is killed`
        this.#events.note(`the GCS, pid ${child.pid ?? 0}, ${how}`)
        child.kill('SIGKILL')
      }
    }, watch.everyMs)
    child.once('exit', () => clearInterval(timer))
    child.once('error', () => clearInterval(timer))
  }

  #watch(child: ChildProcess): void {
    child.once('exit', () => this.#ended(child))
  }

  #ended({ pid, exitCode, signalCode }: ChildProcess): void {
    if (this.#isClosed) return
    const how = signalCode ?? `exit code ${exitCode}`
    this.#events.note(`the GCS, pid ${pid ?? 0}, has ended: ${how}`)
    if (exitCode === takenExitCode) {
      this.#events.gaveUp('another head has taken over the tables of the cluster')
      return
    }
    if (this.#config.storage.kind === 'memory') {
      this.#events.gaveUp(`the GCS has ended (${how}), and nothing of it was stored`)
      return
    }
    if (performance.now() - this.#readyAt > gcsStableMs) this.#failures = 0
    this.#failures++
    if (this.#failures > gcsFailuresMax) {
      const what = `the GCS has ended ${this.#failures} times in a row, at last with ${how}`
      this.#events.gaveUp(`${what}; node.err in the session's logs says why`)
      return
    }
    const doublings = this.#failures - 2
    const ms = doublings < 0 ? 0 : Math.min(gcsRestartMs * 2 ** doublings, gcsRestartMsMax)
    this.#timer = setTimeout(() => this.#watch(this.#spawn()), ms)
  }
}
