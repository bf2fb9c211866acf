// The object store's shell: does what StoreState decides, for the processes of this node.
//
// A writer asks for room on a socket of its own and blocks until it has it; everything else comes
// and goes with the control messages. Locations name files of this process, which the others open
// through /proc.

import { closeSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import { readU32, writeU32 } from '../base/bytes.js'
import type { ProcessId } from '../base/ids.js'
import { storeRequestBytesMax } from '../base/limits.js'
import {
  arenaFile,
  createMemory,
  type FileFailure,
  type Memory,
  type Place,
  SharedWindows,
  SpillFiles,
  type StoreEffect,
  type StoreEvent,
  StoreState,
  type StoreStats,
} from '../store/index.js'
import type { Location, ObjectKey } from '../wire/messages/terms.js'
import type { StoreRequest, StoreResponse } from '../wire/messages/raylet.js'
import { isSameToken, packr } from './control-connection.js'

export interface StoreServiceOptions {
  readonly clock: Clock
  readonly arenaBytes: number
  readonly spillFolder: string
  readonly token: string
  /** Whether the process is one of this node's, and alive. */
  readonly isMember: (process: ProcessId) => boolean
  readonly collectGarbage: (processes: readonly ProcessId[]) => void
  /** A secondary copy has made room. */
  readonly evicted: (object: ObjectKey) => void
}

export class StoreService {
  readonly #options: StoreServiceOptions
  readonly #arena: Memory
  readonly #state: StoreState
  readonly #files: SpillFiles
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #windows: SharedWindows | undefined
  /** Allocations that are not answered yet, by request. */
  readonly #asking = new Map<number, (response: StoreResponse) => void>()
  /**
   * Copies that a process has pinned, by process and object; as often as it was told where the
   * object is.
   */
  readonly #pins = new Map<ProcessId, Map<string, number[]>>()
  #requestCount = 0
  #pinned: { copy: number; place: Place } | undefined
  #cancelTick: (() => void) | undefined

  constructor(options: StoreServiceOptions) {
    const { arenaBytes, spillFolder } = options
    this.#options = options
    this.#arena = createMemory('typeray-store', arenaBytes)
    this.#state = new StoreState({ arenaBytes, spillFolder })
    this.#files = new SpillFiles({ folder: spillFolder, arenaFd: this.#arena.fd })
    this.#server = createServer((socket) => this.#accept(socket))
  }

  get arenaFile(): number {
    return this.#arena.fd
  }

  get arenaBytes(): number {
    return this.#arena.sizeBytes
  }

  listen(address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(address, resolve)
    })
  }

  /** The allocation holds the object from now on. */
  seal(client: ProcessId, copy: number, object: ObjectKey, isSecondary = false): void {
    this.#handle({ kind: 'seal', client, copy, object: keyText(object), isSecondary })
  }

  makePrimary(object: ObjectKey): void {
    this.#handle({ kind: 'makePrimary', object: keyText(object) })
  }

  /** Room for an object that comes from another node. */
  allocate(client: ProcessId, sizeBytes: number): Promise<StoreResponse> {
    return new Promise((resolve) => this.#allocate(client, sizeBytes, resolve))
  }

  /** The arena as this process sees it. */
  get memory(): SharedWindows {
    this.#windows ??= new SharedWindows(this.#arena)
    return this.#windows
  }

  abort(client: ProcessId, copy: number): void {
    this.#handle({ kind: 'abort', client, copy })
  }

  /** Keeps the object where it is until the process unpins it. Undefined when it is not here. */
  pin(client: ProcessId, object: ObjectKey): Location | undefined {
    const key = keyText(object)
    this.#pinned = undefined
    this.#handle({ kind: 'pin', client, request: 0, object: key })
    const pinned = this.#pinned as { copy: number; place: Place } | undefined
    if (pinned === undefined) return undefined
    let copies = this.#pins.get(client)
    if (copies === undefined) this.#pins.set(client, (copies = new Map()))
    copies.set(key, [...(copies.get(key) ?? []), pinned.copy])
    return this.#locationOf(pinned.place)
  }

  unpin(client: ProcessId, object: ObjectKey): void {
    const key = keyText(object)
    const copies = this.#pins.get(client)
    const pinned = copies?.get(key)
    const copy = pinned?.shift()
    if (copy === undefined) return
    if (pinned?.length === 0) copies?.delete(key)
    this.#handle({ kind: 'unpin', client, copy })
  }

  free(object: ObjectKey): void {
    this.#handle({ kind: 'free', object: keyText(object) })
  }

  processDied(client: ProcessId): void {
    this.#pins.delete(client)
    this.#handle({ kind: 'clientDied', client })
  }

  sizeOf(object: ObjectKey): number | undefined {
    return this.#state.sizeOf(keyText(object))
  }

  statistics(): StoreStats {
    return this.#state.stats()
  }

  async close(): Promise<void> {
    this.#cancelTick?.()
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await this.#files.closeAll()
    this.#windows?.close()
    closeSync(this.#arena.fd)
  }

  #handle(event: StoreEvent): void {
    const effects = this.#state.handle(event, this.#options.clock.now())
    for (const effect of effects) this.#do(effect)
    this.#cancelTick?.()
    this.#cancelTick = undefined
    const at = this.#state.nextTickAt()
    if (at === undefined) return
    const ms = Math.max(0, at - this.#options.clock.now())
    this.#cancelTick = this.#options.clock.timer(ms, () => this.#handle({ kind: 'tick' }))
  }

  #do(effect: StoreEffect): void {
    switch (effect.kind) {
      case 'grant': {
        const location = this.#locationOf(effect.place)
        this.#answer(effect.request, { allocation: effect.copy, location })
        break
      }
      case 'refuse': {
        const { code, message, fields } = effect
        this.#answer(effect.request, { error: { code, message, fields } })
        break
      }
      case 'pinned':
        this.#pinned = { copy: effect.copy, place: effect.place }
        break
      case 'startSpill':
        this.#run(this.#files.spill(effect.file, effect.items), effect.file, 'spill')
        break
      case 'openFile':
        this.#run(this.#files.open(effect.file, effect.sizeBytes), effect.file, 'file')
        break
      case 'closeFile':
        void this.#files.close(effect.file)
        break
      case 'askCollect':
        this.#options.collectGarbage(effect.clients.map(Number))
        break
      case 'evicted':
        this.#options.evicted(keyOf(effect.object))
        break
      case 'missing':
        break
    }
  }

  #run(work: Promise<void>, file: number, what: 'spill' | 'file'): void {
    work.then(
      () => this.#handle({ kind: what === 'spill' ? 'spillDone' : 'fileOpened', file }),
      async (error: unknown) => {
        const failure = await this.#failure(file, error)
        this.#handle({ kind: what === 'spill' ? 'spillFailed' : 'fileFailed', ...failure })
      },
    )
  }

  async #failure(file: number, error: unknown): Promise<FileFailure> {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
    const freeBytes = await this.#files.diskFreeBytes().catch(() => undefined)
    return { file, code, ...(freeBytes === undefined ? {} : { freeBytes }) }
  }

  #locationOf({ file, offset, sizeBytes, warmBytes }: Place): Location {
    const fd = file === arenaFile ? this.#arena.fd : this.#files.fdOf(file)
    return { file: fd, offset, sizeBytes, warmBytes }
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    let rest: Buffer = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.length >= 4 && !socket.destroyed) {
        const end = 4 + readU32(rest, 0)
        if (end > storeRequestBytesMax) {
          socket.destroy()
          return
        }
        if (rest.length < end) break
        this.#request(socket, rest.subarray(4, end))
        rest = rest.subarray(end)
      }
    })
  }

  #request(socket: Socket, bytes: Uint8Array): void {
    const request = readRequest(bytes)
    if (request === undefined || !isSameToken(request.token, this.#options.token)) {
      socket.destroy()
      return
    }
    const answer = (response: StoreResponse): void => {
      if (!socket.destroyed) socket.write(responseFrame(response))
    }
    if (this.#options.isMember(request.process)) {
      this.#allocate(request.process, request.sizeBytes, answer)
      return
    }
    const message = 'The process has not joined this node, or has left it.'
    answer({ error: { code: 'RAY_LOCAL_RAYLET_DIED', message } })
  }

  #allocate(client: ProcessId, sizeBytes: number, answer: (response: StoreResponse) => void): void {
    const request = ++this.#requestCount
    this.#asking.set(request, answer)
    this.#handle({ kind: 'allocate', client, request, sizeBytes })
  }

  #answer(request: number, response: StoreResponse): void {
    const answer = this.#asking.get(request)
    this.#asking.delete(request)
    answer?.(response)
  }
}

function responseFrame(response: StoreResponse): Uint8Array {
  const body = packr.pack(response)
  const frame = Buffer.allocUnsafe(4 + body.length)
  writeU32(frame, 0, body.length)
  frame.set(body, 4)
  return frame
}

function readRequest(bytes: Uint8Array): StoreRequest | undefined {
  try {
    const request = packr.unpack(bytes) as Partial<StoreRequest> | null
    const isRequest =
      request?.kind === 'allocate' &&
      typeof request.process === 'number' &&
      Number.isSafeInteger(request.sizeBytes) &&
      (request.sizeBytes ?? 0) > 0
    return isRequest ? (request as StoreRequest) : undefined
  } catch {
    return undefined
  }
}

function keyText([owner, sequence]: ObjectKey): string {
  return `${owner}:${sequence}`
}

function keyOf(text: number | string): ObjectKey {
  const [owner, sequence] = String(text).split(':').map(Number)
  return [owner ?? 0, sequence ?? 0]
}
