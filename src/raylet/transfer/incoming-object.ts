// An object on its way into the store of this node: its room, its pieces, and who gives them.
//
// What has come may be passed on before the rest is here. Room is given back only when nobody
// writes to it or reads from it any more: a socket that has begun a piece may go on writing to it
// whatever was decided meanwhile.

import { write } from 'node:fs'
import { transferWindowBytes } from '../../base/limits.js'
import type { Location, ObjectKey } from '../../wire/messages/terms.js'
import type { SharedWindows } from '../../store/index.js'
import type { BulkConnection, PieceTarget } from './bulk-connection.js'
import { type Chunk, chunkBytesOf, ChunkPlan } from './chunk-plan.js'

export interface Room {
  readonly allocation: number
  readonly location: Location
}

export interface IncomingPorts {
  readonly memory: () => SharedWindows
  readonly arenaFile: number
  readonly connect: (node: number) => BulkConnection | undefined
  readonly finished: () => void
  readonly stalled: (missing: readonly number[]) => void
  /** Nobody uses the room of an aborted object any more. */
  readonly released: (room: Room) => void
  /** The store is to keep the complete object for one that reads from its room. */
  readonly pin: () => void
  readonly unpin: () => void
}

/** Somebody waits for bytes that are still to come. */
interface Forward {
  readonly chunk: Chunk
  readonly ready: (isHere: boolean) => void
}

export class IncomingObject {
  readonly object: ObjectKey
  readonly #ports: IncomingPorts
  readonly #plan: ChunkPlan
  /** Pieces that are asked of one source at a time. */
  readonly #window: number
  #room: Room | undefined
  /** Requests under way, by source that may still give something. */
  readonly #sources = new Map<number, number>()
  #missing: number[] = []
  #forwards: Forward[] = []
  /** Pieces that are being written to the room, and those that are passed on from there. */
  #writers = 0
  #readers = 0
  #state: 'waiting' | 'reading' | 'stalled' | 'complete' | 'aborted' = 'waiting'

  constructor(object: ObjectKey, sizeBytes: number, ports: IncomingPorts) {
    this.object = object
    this.#ports = ports
    const chunkBytes = chunkBytesOf(sizeBytes)
    this.#plan = new ChunkPlan(sizeBytes, chunkBytes)
    this.#window = Math.max(2, transferWindowBytes / chunkBytes)
  }

  get room(): Room | undefined {
    return this.#room
  }

  give(room: Room): void {
    this.#room = room
    this.#look()
  }

  /** Begins, or goes on, with these sources. */
  read(sources: readonly number[]): void {
    this.#state = 'reading'
    this.#missing = []
    for (const source of sources) this.#sources.set(source, 0)
    for (const source of sources) this.#pump(source)
    this.#look()
  }

  /** Calls back when the bytes are here, at once or later; false: nobody knows when. */
  whenHere(chunk: Chunk, ready: (isHere: boolean) => void): void {
    if (this.#plan.has(chunk) && this.#state !== 'aborted') ready(true)
    else if (this.#state === 'waiting' || this.#state === 'reading') {
      this.#forwards.push({ chunk, ready })
    } else ready(false)
  }

  /** Keeps the bytes where they are until the function that it returns is called. */
  hold(): () => void {
    this.#readers++
    return () => {
      if (this.#state === 'complete') this.#ports.unpin()
      else {
        this.#readers--
        this.#look()
      }
    }
  }

  /** It is in the store now. */
  sealed(): void {
    this.#state = 'complete'
    for (let n = 0; n < this.#readers; n++) this.#ports.pin()
  }

  abort(): void {
    this.#state = 'aborted'
    this.#sources.clear()
    this.#failForwards()
    this.#look()
  }

  /** What follows from the last change. */
  #look(): void {
    if (this.#state === 'reading') {
      if (this.#plan.isDone) {
        if (this.#writers === 0) this.#ports.finished()
      } else if (this.#sources.size === 0) this.#stall()
    }
    const room = this.#room
    const isUsed = this.#writers > 0 || this.#readers > 0
    if (this.#state !== 'aborted' || isUsed || room === undefined) return
    this.#room = undefined
    this.#ports.released(room)
  }

  #stall(): void {
    this.#state = 'stalled'
    this.#failForwards()
    this.#ports.stalled(this.#missing)
  }

  #write(): () => void {
    this.#writers++
    return () => {
      this.#writers--
      this.#look()
    }
  }

  #pump(source: number): void {
    for (;;) {
      const underWay = this.#sources.get(source)
      if (underWay === undefined || underWay >= this.#window) return
      const connection = this.#ports.connect(source)
      if (connection === undefined) return this.#failed(source, 'unable')
      const chunk = this.#plan.take(source)
      if (chunk === undefined) return
      this.#sources.set(source, underWay + 1)
      connection.read(this.object, chunk, this.#target(source, chunk))
    }
  }

  #target(source: number, chunk: Chunk): PieceTarget {
    const isInArena = this.#room?.location.file === this.#ports.arenaFile
    return isInArena ? this.#arenaTarget(source, chunk) : this.#fileTarget(source, chunk)
  }

  #arenaTarget(source: number, chunk: Chunk): PieceTarget {
    const at = (this.#room?.location.offset ?? 0) + chunk.offset
    let end: (() => void) | undefined
    return {
      begun: () => {
        if (this.#state !== 'aborted') end = this.#write()
      },
      view: (done) => {
        if (end === undefined) return discarded(chunk.length - done)
        return this.#ports.memory().view(at + done, chunk.length - done, true)
      },
      ended: (how) => {
        if (how === 'here' && end !== undefined) this.#received(source, chunk)
        else if (how !== 'here') this.#failed(source, how)
        end?.()
      },
    }
  }

  /** Files are written when the piece is complete, off the event loop. */
  #fileTarget(source: number, chunk: Chunk): PieceTarget {
    let bytes: Uint8Array | undefined
    return {
      begun: () => undefined,
      view: (done) => {
        bytes ??= Buffer.allocUnsafeSlow(chunk.length)
        return bytes.subarray(done)
      },
      ended: (how) => {
        if (how !== 'here') return this.#failed(source, how)
        if (this.#state === 'aborted' || this.#room === undefined) return undefined
        const { file, offset } = this.#room.location
        const end = this.#write()
        return writeAll(file, bytes ?? Buffer.alloc(0), offset + chunk.offset, (isWritten) => {
          if (isWritten) this.#received(source, chunk)
          else if (!isWritten) this.#failed(source, 'unable')
          end()
        })
      },
    }
  }

  #received(source: number, chunk: Chunk): void {
    if (this.#state === 'aborted') return
    this.#plan.received(chunk)
    const ready = this.#forwards.filter(({ chunk: wanted }) => this.#plan.has(wanted))
    this.#forwards = this.#forwards.filter((forward) => !ready.includes(forward))
    for (const forward of ready) forward.ready(true)
    const underWay = this.#sources.get(source)
    if (underWay === undefined) return
    this.#sources.set(source, underWay - 1)
    this.#pump(source)
  }

  #failed(source: number, how: 'missing' | 'unable'): void {
    if (!this.#sources.delete(source)) return
    this.#plan.failed(source)
    if (how === 'missing') this.#missing.push(source)
    for (const other of [...this.#sources.keys()]) this.#pump(other)
    this.#look()
  }

  /** Whoever waits for this node asks others: this one may soon wait for them. */
  #failForwards(): void {
    const forwards = this.#forwards
    this.#forwards = []
    for (const { ready } of forwards) ready(false)
  }
}

const nowhere = Buffer.allocUnsafeSlow(64 * 1024)

function discarded(byteCount: number): Uint8Array {
  return nowhere.subarray(0, Math.min(nowhere.length, byteCount))
}

function writeAll(
  fd: number,
  bytes: Uint8Array,
  position: number,
  done: (isWritten: boolean) => void,
): void {
  write(fd, bytes, 0, bytes.length, position, (error, count) => {
    if (error !== null) done(false)
    else if (count === bytes.length) done(true)
    else writeAll(fd, bytes.subarray(count), position + count, done)
  })
}
