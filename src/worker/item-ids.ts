// Ids of the items of streams.
//
// An item that is stored is an object of the consumer, as the result of a task is: it survives the
// worker that made it, and is made again under the same id when its node has died. Its id must
// follow from the stream and the place of the item in it, because a generator that runs again knows
// nothing of its first run. So items have a range of sequences of their own, above those of tasks,
// with room for a million of each stream.

const firstSequence = 2 ** 47
const itemsMax = 2 ** 20
/** By the time that numbers of streams begin again nobody knows the first ones. */
const streamsMax = 2 ** 27

export function streamNumberAfter(number: number): number {
  return (number + 1) % streamsMax
}

export function itemSequence(stream: number, index: number): number {
  if (index >= itemsMax) {
    throw new RangeError(
      `A generator can yield ${itemsMax} items if some of them are too large for a message. ` +
        'Make several generators of it.',
    )
  }
  return firstSequence + stream * itemsMax + index
}

/** The sequences of all items of a stream from this one on. */
export function itemsFrom(stream: number, index: number): { first: number; count: number } {
  const count = Math.max(0, itemsMax - index)
  return { first: firstSequence + stream * itemsMax + index, count }
}

/** The sequence of the first item of the stream that an object belongs to; its own, if to none. */
export function firstOf(sequence: number): number {
  return sequence < firstSequence ? sequence : sequence - (sequence % itemsMax)
}

/** Which item of which stream an object is. */
export function placeOf(sequence: number): { stream: number; index: number } | undefined {
  if (sequence < firstSequence) return undefined
  const at = sequence - firstSequence
  return { stream: Math.floor(at / itemsMax), index: at % itemsMax }
}
