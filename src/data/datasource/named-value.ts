/** What a record has under a name: columns may be called `constructor`, which every object has. */
export function namedValue<T>(
  record: Readonly<Record<string, T>> | undefined,
  name: string,
): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined
}
