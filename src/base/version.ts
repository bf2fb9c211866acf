/** As in package.json; a test compares. */
export const packageVersion = '0.1.0'

/** Rises with every change of what processes say to each other that an older one would not take. */
export const wireVersion = 1

/** What a process of the package must be to talk with another. */
export interface Version {
  readonly version: string
  readonly wireVersion: number
}

/** One major version and one wire version: then they understand each other. */
export function isCompatible(mine: Version, theirs: Version): boolean {
  const major = (version: string): string => version.split('.')[0] ?? ''
  return mine.wireVersion === theirs.wireVersion && major(mine.version) === major(theirs.version)
}
