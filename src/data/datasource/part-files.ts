// Names of the files that a dataset is written to. Sorted as text they are in the order of blocks,
// so that reading the folder gives the rows in the order in which they were written.

/** The name of part `index`, without what is behind its dot. */
export function partName(prefix: string, index: number): string {
  // A letter sorts behind every digit: the part after 99999 comes after it.
  const number = index < 100_000 ? String(index).padStart(5, '0') : `x${pad(index)}`
  return `${prefix}${number}`
}

export const partPrefix = 'part-'

/** The beginning of the names of parts that are added to those that are there. */
export function appendedPrefix(nowMs: number): string {
  return `${partPrefix}y${pad(nowMs)}-`
}

function pad(value: number): string {
  return String(value).padStart(14, '0')
}

/** Whether a file is a part that Typeray wrote, in a format with this extension. */
export function isPart(name: string, extension: string): boolean {
  return /^part-[\dxy]/.test(name) && name.endsWith(`.${extension}`)
}
