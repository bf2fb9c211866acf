// Push frames are written one after the other into slabs, so that a run of tasks goes to a worker
// as one contiguous slice and a retry sends the same bytes again. A Buffer per frame would cost
// half a microsecond and its garbage.

const slabBytes = 64 * 1024
/** A frame that needs more than this at once gets a slab of its own. */
export const slabRoomBytes = 4 * 1024

const noSlab = new Uint8Array(0)

export class SlabWriter {
  /** Made at the first frame: most actors that are known are never called. */
  slab: Uint8Array = noSlab
  at = 0

  /** Lets go of the slab until there is another frame. */
  drop(): void {
    this.slab = noSlab
    this.at = 0
  }

  /** Offset at which a small frame may be written: at least slabRoomBytes are free behind it. */
  begin(): number {
    if (this.at + slabRoomBytes > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(slabBytes)
      this.at = 0
    }
    return this.at
  }

  /** Offset at which a frame of this many bytes may be written. */
  beginLarge(sizeBytes: number): number {
    if (this.at + sizeBytes > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, sizeBytes))
      this.at = 0
    }
    return this.at
  }
}
