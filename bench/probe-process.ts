// The bench's side of a probe. Every request has a time limit, after which the process is killed
// and the row fails.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { JsonLines } from './json-lines.js'
import { suites } from './suites.js'
import type { Contestant, ProbeReply, ProbeRequest } from './probe.js'

const probeMain = fileURLToPath(new URL('./probe-main.js', import.meta.url))
const benchFolder = new URL('../../bench/', import.meta.url)

/** Time to start a runtime, warm up and come to rest; Ray takes seconds to start. */
const requestMsMax = 120_000
/** How much longer than asked a round may take: one step of a slow row can be many seconds. */
const roundFactorMax = 60
/** Time for a process that was told to quit to end by itself. */
const exitMsMax = 15_000

export interface ProbeKind {
  readonly suite: string
  readonly roundMs: number
}

type Settle = (reply: ProbeReply) => void

export class ProbeProcess {
  readonly name: string
  readonly #child: ChildProcess
  readonly #lines: JsonLines
  readonly #exited: Promise<unknown>
  readonly #roundMs: number
  /** The request in progress; requests never overlap. Empty between requests. */
  #settle: Settle | undefined
  /** Set when the process ended, by itself or by our hand. */
  #ending: string | undefined

  private constructor(name: string, argv: readonly string[], roundMs: number) {
    this.name = name
    this.#roundMs = roundMs
    const [command = '', ...args] = argv
    // What a probe or its workers print is not part of the table.
    const child = spawn(command, args, { stdio: ['ignore', 2, 2, 'pipe'] })
    this.#child = child
    this.#exited = once(child, 'exit').catch(() => undefined)
    child.once('error', (error) => this.#end(error.message))
    child.once('exit', (code, signal) => this.#end(`the process ended (${signal ?? code})`))
    const channel = child.stdio[3] as Socket
    this.#lines = new JsonLines(channel, (value) => this.#finish(value as ProbeReply))
  }

  static node(contestant: Contestant, { suite, roundMs }: ProbeKind): ProbeProcess {
    return new ProbeProcess(contestant, [process.execPath, probeMain, contestant, suite], roundMs)
  }

  static ray(python: string, { suite, roundMs }: ProbeKind): ProbeProcess {
    const script = fileURLToPath(new URL(suites[suite]?.rayScript ?? '', benchFolder))
    return new ProbeProcess('Ray', [python, script, '--channel', '3'], roundMs)
  }

  get hasEnded(): boolean {
    return this.#ending !== undefined
  }

  async open(row: string): Promise<void> {
    await this.#request({ op: 'open', row, roundMs: this.#roundMs })
  }

  async round(): Promise<number> {
    const { value } = await this.#request({ op: 'round' })
    if (value === undefined) throw new Error(`${this.name}: a round without a value`)
    return value
  }

  async close(): Promise<void> {
    await this.#request({ op: 'close' })
  }

  /** Ends the process, and fails when it does not end by itself. */
  async quit(): Promise<void> {
    if (this.hasEnded) return
    await this.#request({ op: 'quit' })
    const timer = setTimeout(() => {
      this.#end(`still running ${exitMsMax / 1000} s after it was closed; killed`)
      this.#child.kill('SIGKILL')
    }, exitMsMax)
    await this.#exited
    clearTimeout(timer)
    if (this.#child.exitCode !== 0) throw new Error(`${this.name}: ${this.#ending}`)
  }

  kill(): void {
    this.#end('killed')
    this.#child.kill('SIGKILL')
  }

  async #request(request: ProbeRequest): Promise<ProbeReply> {
    if (this.#ending !== undefined) throw new Error(`${this.name}: ${this.#ending}`)
    const limitMs = requestMsMax + (request.op === 'round' ? this.#roundMs * roundFactorMax : 0)
    const timer = setTimeout(() => {
      this.#end(`no answer to "${request.op}" for ${limitMs / 1000} s; killed`)
      this.#child.kill('SIGKILL')
    }, limitMs)
    const reply = await new Promise<ProbeReply>((resolve) => {
      this.#settle = resolve
      this.#lines.send(request)
    })
    clearTimeout(timer)
    if (reply.error !== undefined) throw new Error(`${this.name}: ${reply.error}`)
    return reply
  }

  #finish(reply: ProbeReply): void {
    const settle = this.#settle
    this.#settle = undefined
    settle?.(reply)
  }

  #end(reason: string): void {
    this.#ending ??= reason
    this.#finish({ error: this.#ending })
  }
}
