// typeray memory

import { taskEventsMax } from '../base/limits.js'
import { SessionError } from '../base/errors.js'
import { list, type ObjectState } from '../state/index.js'
import { type AskOptions, whereOf } from './list.js'
import { tableOf } from './show.js'

const rowsMax = Math.min(10_000, taskEventsMax)

export async function memory(
  options: Omit<AskOptions, 'format'> & { readonly sortBy: string },
): Promise<void> {
  const { rows, total } = await list('objects', { ...whereOf(options), limit: rowsMax })
  const byOwner = new Map<string, ObjectState[]>()
  for (const row of rows) byOwner.set(row.ownerId, [...(byOwner.get(row.ownerId) ?? []), row])
  const [first] = rows
  if (first !== undefined && !(options.sortBy in first)) {
    throw new SessionError(`'${options.sortBy}' is not a column: ${Object.keys(first).join(', ')}.`)
  }
  const lines: string[] = []
  for (const [owner, objects] of byOwner) {
    const sizes = new Map(objects.map((row) => [row.objectId, row.objectSize ?? 0]))
    const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0)
    const pid = objects[0]?.ownerPid ?? 'gone'
    lines.push(`Owner ${owner} pid=${pid}: ${sizes.size} objects, ${bytes} bytes\n`)
    const sorted = [...objects].sort((a, b) => compare(a, b, options.sortBy))
    lines.push(
      tableOf(
        sorted.map(({ objectId, objectSize, referenceType, type, pid: holder, isStored }) => ({
          objectId,
          objectSize,
          referenceType,
          heldBy: `${type} pid=${holder ?? '?'}`,
          where: isStored ? 'store' : 'message',
        })),
      ),
      '\n',
    )
  }
  if (lines.length === 0) lines.push('No object is in the store or known outside of its owner.\n')
  if (rows.length < total) lines.push(`${rows.length} of ${total} rows are shown.\n`)
  process.stdout.write(lines.join(''))
}

/** Numbers fall, texts rise. */
function compare(a: ObjectState, b: ObjectState, column: string): number {
  const [x, y] = [a[column as keyof ObjectState], b[column as keyof ObjectState]]
  if (typeof x === 'number' || typeof y === 'number') return Number(y ?? 0) - Number(x ?? 0)
  return String(x).localeCompare(String(y))
}
