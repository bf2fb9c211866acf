// Bytes that lie in several places and belong one behind the other.
//
// An Arrow stream is headers that are made for it and columns that exist. Joining them costs a copy
// of all columns, and memory for it, only to be copied again to where the stream goes. So they stay
// where they are until whoever writes them puts each piece in its place. A piece may not even exist
// before: a filling is computed where it is written.

/** Bytes that are made where they are to lie. */
export interface Filling {
  readonly length: number
  /** Writes all of `target`, which begins at a multiple of 8 of its memory. */
  fill(target: Uint8Array): void
}

export type Piece = Uint8Array | Filling

/** Puts a piece where it is to lie; `target` is as long as it. */
export function writePiece(piece: Piece, target: Uint8Array): void {
  if (piece instanceof Uint8Array) target.set(piece)
  else if (target.byteOffset % 8 === 0) piece.fill(target)
  else target.set(pieceBytes(piece))
}

/** The bytes of a piece; made now if it is a filling. */
export function pieceBytes(piece: Piece): Uint8Array {
  if (piece instanceof Uint8Array) return piece
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(piece.length)
  const bytes = new Uint8Array(buffer, byteOffset, piece.length)
  piece.fill(bytes)
  return bytes
}

export class PiecedBytes implements Filling {
  /** In order; none is empty. */
  readonly pieces: readonly Piece[]
  readonly length: number

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces.filter(({ length }) => length > 0)
    this.length = this.pieces.reduce((sum, { length }) => sum + length, 0)
  }

  fill(target: Uint8Array): void {
    let at = 0
    for (const piece of this.pieces) {
      writePiece(piece, target.subarray(at, at + piece.length))
      at += piece.length
    }
  }
}
