// Worker processes: started, listened to, signalled, and buried with an exact death certificate.
//
// A worker must not outlive its raylet, not even one that computes and will never look at its
// socket again. setpriv lets the kernel see to that before Node has even started in it
// (PR_SET_PDEATHSIG); without setpriv the worker asks for it itself as soon as it runs.

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { outputEndMs, stderrLinesKept } from '../base/limits.js'
import type { Clock } from '../base/clock.js'
import type { ProcessExit, WorkerEnvironment } from '../wire/messages/terms.js'
import type { OutputLabel } from '../wire/output-mark.js'
import { workerOptions } from '../base/worker-options.js'
import { hugePageVariables } from './huge-pages.js'
import { LabelledLines } from './labelled-lines.js'

export interface WorkerPoolOptions {
  readonly clock: Clock
  /** JavaScript file that a worker runs. */
  readonly entry: string
  /** What every worker needs to find its raylet; `start` names this start. */
  readonly variables: (start: string) => Readonly<Record<string, string>>
  /**
   * What a worker has written. When it returns a function there is enough of it for now: that
   * stream is not read until what is given to the function is called.
   */
  readonly output: (output: WorkerOutput) => ((call: () => void) => void) | undefined
  /**
   * The process is gone and its output has been read. `started` of the exit is for the caller to
   * fill in.
   */
  readonly died: (start: string, exit: ProcessExit) => void
}

export interface WorkerOutput {
  readonly start: string
  readonly pid: number
  readonly stream: 'stdout' | 'stderr'
  readonly lines: readonly string[]
  readonly label: OutputLabel
}

interface Worker {
  readonly start: string
  readonly jobId: string
  readonly child: ChildProcess
  /** The last lines of stderr. */
  readonly stderr: string[]
  /** Streams that are not read because the log file is behind. */
  readonly held: Set<Readable>
  /** Why it was killed, if it was; or what its stderr says about its end. */
  reason: string
  isDead: boolean
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file))
const heapMessage = 'heap out of memory'

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #workers = new Map<string, Worker>()
  /** Jobs whose workers are not read. */
  readonly #paused = new Set<string>()

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#workers.size
  }

  start(start: string, jobId: string, environment: WorkerEnvironment): void {
    const node = [process.execPath, ...workerOptions, ...environment.execArgv, this.#options.entry]
    const [command, ...args] =
      setpriv === undefined ? node : [setpriv, '--pdeathsig', 'KILL', ...node]
    const child = spawn(command ?? process.execPath, args, {
      cwd: environment.cwd,
      env: {
        ...process.env,
        ...environment.env,
        ...hugePageVariables(environment.env['GLIBC_TUNABLES'] ?? process.env['GLIBC_TUNABLES']),
        ...this.#options.variables(start),
        ...(setpriv === undefined && { TYPERAY_ORPHAN: 'end' }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const worker: Worker = {
      start,
      jobId,
      child,
      stderr: [],
      held: new Set(),
      reason: '',
      isDead: false,
    }
    this.#workers.set(start, worker)
    this.#listen(worker, 'stdout', child.stdout)
    this.#listen(worker, 'stderr', child.stderr)
    child.once('error', (error) => {
      // Not started at all, or not signalled; only the first is the end of it.
      if (child.pid !== undefined) return
      worker.stderr.push(String(error))
      this.#bury(worker, null, null)
    })
    child.once('exit', (code, signal) => {
      const bury = (): void => {
        cancel()
        this.#bury(worker, code, signal)
      }
      const cancel = this.#options.clock.timer(outputEndMs, bury)
      child.once('close', bury)
    })
  }

  signal(start: string, signal: NodeJS.Signals, reason: string): void {
    const worker = this.#workers.get(start)
    if (worker === undefined || worker.isDead) return
    if (signal === 'SIGKILL' && worker.reason === '') worker.reason = reason
    worker.child.kill(signal)
  }

  killAll(reason: string): void {
    for (const { start } of this.#workers.values()) this.signal(start, 'SIGKILL', reason)
  }

  /** Stops reading what workers of a job write: their pipes fill, and they wait in console.log. */
  pause(jobId: string): void {
    if (this.#paused.has(jobId)) return
    this.#paused.add(jobId)
    for (const worker of this.#workers.values()) {
      if (worker.jobId !== jobId) continue
      worker.child.stdout?.pause()
      worker.child.stderr?.pause()
    }
  }

  resume(jobId: string): void {
    if (!this.#paused.delete(jobId)) return
    for (const worker of this.#workers.values()) {
      if (worker.jobId !== jobId) continue
      for (const pipe of [worker.child.stdout, worker.child.stderr]) {
        if (pipe !== null && !worker.held.has(pipe)) pipe.resume()
      }
    }
  }

  #listen(worker: Worker, stream: 'stdout' | 'stderr', pipe: Readable | null): void {
    if (pipe === null) return
    const { start, child } = worker
    const pid = child.pid ?? 0
    const labelled = new LabelledLines((lines, label) => {
      if (stream === 'stderr') remember(worker, lines)
      const whenRoom = this.#options.output({ start, pid, stream, lines, label })
      if (whenRoom === undefined || worker.held.has(pipe)) return
      worker.held.add(pipe)
      pipe.pause()
      whenRoom(() => {
        worker.held.delete(pipe)
        if (!this.#paused.has(worker.jobId)) pipe.resume()
      })
    })
    pipe.on('data', (chunk: Buffer) => labelled.push(chunk))
    pipe.on('end', () => labelled.end())
    pipe.on('error', () => pipe.destroy())
    if (this.#paused.has(worker.jobId)) pipe.pause()
  }

  #bury(worker: Worker, exitCode: number | null, signal: string | null): void {
    if (worker.isDead) return
    worker.isDead = true
    const { start, child, stderr, reason } = worker
    this.#workers.delete(start)
    child.stdout?.destroy()
    child.stderr?.destroy()
    const pid = child.pid ?? 0
    this.#options.died(start, { pid, exitCode, signal, stderr, reason, started: -1 })
  }
}

function remember(worker: Worker, lines: readonly string[]): void {
  const { stderr } = worker
  for (const line of lines) {
    if (line.includes(heapMessage)) worker.reason = heapMessage
    stderr.push(line)
  }
  if (stderr.length > stderrLinesKept) stderr.splice(0, stderr.length - stderrLinesKept)
}
