// Concurrency groups of an actor: calls of one group never wait for those of another.

/** The group of methods that name none. Its limit is `maxConcurrency`. */
export const defaultGroup = '_default'

export type ConcurrencyGroups = Readonly<Record<string, number>>

export const noGroups: ConcurrencyGroups = Object.freeze({})

export function compileConcurrencyGroups(groups: unknown): ConcurrencyGroups {
  if (groups === undefined) return noGroups
  if (typeof groups !== 'object' || groups === null || Array.isArray(groups)) {
    throw new TypeError(
      `The option 'concurrencyGroups' must be an object of limits by name, such as ` +
        `{ io: 2, compute: 4 }.`,
    )
  }
  for (const [name, limit] of Object.entries(groups)) {
    if (name === '' || name === defaultGroup) {
      throw new TypeError(
        `'${name}' cannot be the name of a concurrency group. The calls that name no group have ` +
          `the option 'maxConcurrency' for their limit.`,
      )
    }
    if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1) {
      throw new RangeError(
        `The limit of the concurrency group '${name}' must be a positive integer, not ` +
          `${String(limit)}.`,
      )
    }
  }
  return { ...groups } as ConcurrencyGroups
}

/** @throws TypeError naming the group and those that there are. */
export function checkGroup(
  group: string | undefined,
  groups: ConcurrencyGroups,
  where: string,
): void {
  if (group === undefined || group === defaultGroup || Object.hasOwn(groups, group)) return
  const names = Object.keys(groups)
  const there =
    names.length === 0
      ? `its class has none; declare it with the option concurrencyGroups: { ${group}: 1 }`
      : `its class has: ${names.join(', ')}`
  throw new TypeError(`${where} names the concurrency group '${group}', but ${there}.`)
}
