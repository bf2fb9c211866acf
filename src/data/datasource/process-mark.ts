// Names processes so that others can tell whether they have ended. A number alone says nothing: it
// is given away again, and means something else on another machine and in another container.

import fs from 'node:fs'

/** The namespace of process numbers that this process is in. */
export function processSpace(): string {
  return /\d+/.exec(fs.readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
}

/** Names this process: the boot of its machine, its space, its number and its start. */
export function processMark(): string {
  return markOf(String(process.pid)) ?? ''
}

/** Whether a process has ended; undefined where that cannot be known here. */
export function hasEnded(mark: string): boolean | undefined {
  const [boot, space, pid] = mark.split(' ')
  if (boot !== bootId() || space !== processSpace() || pid === undefined) return undefined
  return markOf(pid) !== mark
}

/** Undefined if there is no such process. */
function markOf(pid: string): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name of the program, in parentheses, may have spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state] = fields
    // It has ended, and its parent has not asked how.
    if (state === 'Z' || state === 'X') return undefined
    return [bootId(), processSpace(), pid, fields[19]].join(' ')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

function bootId(): string {
  return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}
