// Bytes that lie in several places and belong one behind the other.
//
// An Arrow stream is headers that are made for it and columns that exist. Joining them costs a copy
// of all columns, and memory for it, only to be copied again to where the stream goes. So they stay
// where they are until whoever writes them puts each piece in its place.

export class PiecedBytes {
  /** In order; none is empty. */
  readonly pieces: readonly Uint8Array[]
  readonly length: number

  constructor(pieces: readonly ArrayBufferView[]) {
    this.pieces = pieces.flatMap(({ buffer, byteOffset, byteLength }) => {
      return byteLength === 0 ? [] : [new Uint8Array(buffer, byteOffset, byteLength)]
    })
    this.length = this.pieces.reduce((sum, { length }) => sum + length, 0)
  }

  /** A copy in one place. */
  joined(): Uint8Array {
    const { buffer, byteOffset } = Buffer.allocUnsafeSlow(this.length)
    const bytes = new Uint8Array(buffer, byteOffset, this.length)
    let at = 0
    for (const piece of this.pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    return bytes
  }
}

/** Bytes in one place, copied if they are not. */
export function inOnePiece(bytes: Uint8Array | PiecedBytes): Uint8Array {
  return bytes instanceof PiecedBytes ? bytes.joined() : bytes
}
