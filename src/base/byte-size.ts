const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** For people: `512 B`, `1.5 GiB`. */
export function byteSize(bytes: number): string {
  let unit = 0
  let size = bytes
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return `${size < 10 && unit > 0 ? size.toFixed(1) : Math.round(size)} ${units[unit] ?? ''}`
}

/** For people: of memory in bytes with a unit, of anything else a number. */
export function resourceAmount(name: string, value: number): string {
  return name === 'memory' || name === 'objectStoreMemory'
    ? byteSize(value)
    : String(Number(value.toFixed(4)))
}
