export function checkNamespace(what: string, namespace: unknown): void {
  if (namespace === undefined || (typeof namespace === 'string' && namespace !== '')) return
  const got = typeof namespace === 'string' ? 'an empty one' : String(namespace)
  throw new TypeError(`${what}: 'namespace' must be a string that is not empty, not ${got}.`)
}
