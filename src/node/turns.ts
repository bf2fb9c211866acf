// Calls one after the other, never one inside another.

/**
 * The raylet and the GCS speak in turns, as they would through a socket: neither is called while it
 * is in the middle of something.
 */
export function turns(): (turn: () => void) => void {
  const waiting: (() => void)[] = []
  const take = (): void => {
    for (let i = 0; i < waiting.length; i++) waiting[i]?.()
    waiting.length = 0
  }
  return (turn) => {
    if (waiting.push(turn) === 1) process.nextTick(take)
  }
}
