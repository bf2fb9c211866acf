// One connection for the bytes of objects. Both sides may ask and both may give.
//
// What is received goes from the socket into its place without a copy in JavaScript: the socket is
// given views of the arena to read into (`onread`), one after the other. Sockets that cannot do
// that, such as accepted ones, emit chunks, which are copied.
//
// A view that the socket has may be written to until the piece is complete or the socket closed,
// whatever becomes of the object. So the place of a piece is not given back before `ended`.

import type { Socket } from 'node:net'
import type { ObjectKey } from '../../wire/messages/terms.js'
import {
  type BulkHead,
  bulkHeadBytes,
  bulkKind,
  readBulkHead,
  writeBulkHead,
} from './bulk-frame.js'
import type { Chunk } from './chunk-plan.js'

/** 'missing': the other side has none of the object; 'unable': it, or nobody, can say more. */
export type PieceEnd = 'here' | 'missing' | 'unable'

/** Where a piece goes. */
export interface PieceTarget {
  /** It is about to come: the views may be written to from now on. */
  begun(): void
  /** Where the bytes from `done` on go: all of them, or the first. */
  view(done: number): Uint8Array
  ended(how: PieceEnd): void
}

/** Bytes of a piece that is sent; `done` is called when they are not needed any more. */
export interface PieceSource {
  readonly views: readonly Uint8Array[]
  readonly done: () => void
}

export interface BulkEvents {
  /** The other side asks for bytes of an object. */
  readonly asked: (head: BulkHead) => void
  readonly closed: () => void
  /** It says what no node would say, and is cut off. */
  readonly refused: (why: string) => void
}

interface Reading {
  readonly target: PieceTarget
  readonly length: number
}

const scratchBytes = 256 * 1024

export class BulkConnection {
  readonly #events: BulkEvents
  #socket: Socket | undefined
  /** Asked and not answered, by request. */
  readonly #asked = new Map<number, Reading>()
  #requests = 0
  readonly #head = Buffer.alloc(bulkHeadBytes)
  #headBytes = 0
  /** The piece whose bytes come now. */
  #piece: Reading | undefined
  #pieceBytes = 0
  #pieceLength = 0
  readonly #scratch = Buffer.allocUnsafeSlow(scratchBytes)
  /** What the socket was given to read into. */
  #view: Uint8Array = this.#head

  constructor(events: BulkEvents) {
    this.#events = events
  }

  /** What the socket reads into. Asked again after each `arrived`. */
  nextView(): Uint8Array {
    this.#view = this.#findView()
    return this.#view
  }

  attach(socket: Socket): void {
    this.#socket = socket
    socket.on('data', (chunk: Uint8Array) => this.push(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#closed())
  }

  /** Bytes that were not read into `nextView`. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && this.#socket?.destroyed === false;) {
      const view = this.nextView()
      const count = Math.min(view.length, chunk.length - at)
      view.set(chunk.subarray(at, at + count))
      this.arrived(count)
      at += count
    }
  }

  /** So many bytes were read into the view. */
  arrived(count: number): void {
    if (this.#pieceLength > 0) {
      this.#pieceBytes += count
      if (this.#pieceBytes === this.#pieceLength) this.#endPiece()
      return
    }
    this.#headBytes += count
    if (this.#headBytes < bulkHeadBytes) return
    this.#headBytes = 0
    const head = readBulkHead(this.#head)
    if (head === undefined) this.refuseAll('what it sends is not of typeray')
    else this.#heard(head)
  }

  read(object: ObjectKey, { offset, length }: Chunk, target: PieceTarget): void {
    if (this.#socket === undefined) return target.ended('unable')
    const request = ++this.#requests
    this.#asked.set(request, { target, length })
    const head = { kind: bulkKind.read, request, object, offset, length }
    this.#socket?.write(writeBulkHead(head))
  }

  give(asked: BulkHead, { views, done }: PieceSource): void {
    const socket = this.#socket
    if (socket === undefined || socket.destroyed) {
      done()
      return
    }
    socket.cork()
    socket.write(writeBulkHead({ ...asked, kind: bulkKind.piece }))
    views.forEach((view, i) => {
      if (i < views.length - 1) socket.write(view)
      // It is called with an error too, when the connection closes.
      else socket.write(view, () => done())
    })
    socket.uncork()
  }

  refuse(asked: BulkHead, why: 'missing' | 'unable'): void {
    this.#socket?.write(writeBulkHead({ ...asked, kind: bulkKind[why] }))
  }

  /** Cuts it off: of what else it says nothing can be believed. */
  refuseAll(why: string): void {
    this.#events.refused(why)
    this.close()
  }

  close(): void {
    this.#socket?.destroy()
  }

  #findView(): Uint8Array {
    if (this.#pieceLength === 0) return this.#head.subarray(this.#headBytes)
    const left = this.#pieceLength - this.#pieceBytes
    const view = this.#piece?.target.view(this.#pieceBytes) ?? this.#scratch
    return view.length > left ? view.subarray(0, left) : view
  }

  #heard(head: BulkHead): void {
    if (head.kind === bulkKind.read) return this.#events.asked(head)
    const reading = this.#asked.get(head.request)
    this.#asked.delete(head.request)
    if (head.kind !== bulkKind.piece) {
      reading?.target.ended(head.kind === bulkKind.missing ? 'missing' : 'unable')
      return
    }
    // Of what was not asked for, or not like this, nothing can be believed.
    if (head.length === 0 || reading?.length !== head.length) {
      return this.refuseAll('it sends a piece that was not asked for')
    }
    this.#piece = reading
    this.#pieceLength = head.length
    this.#pieceBytes = 0
    reading.target.begun()
  }

  #endPiece(): void {
    const piece = this.#piece
    this.#piece = undefined
    this.#pieceLength = 0
    piece?.target.ended('here')
  }

  #closed(): void {
    this.#socket = undefined
    const piece = this.#piece
    this.#piece = undefined
    piece?.target.ended('unable')
    const asked = [...this.#asked.values()]
    this.#asked.clear()
    for (const { target } of asked) target.ended('unable')
    this.#events.closed()
  }
}
