// The lock file must be complete, or `npm ci` refuses it everywhere.
import type { Violation } from './sources.js'

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

export function checkLockFile({ packages }: LockFile): Violation[] {
  const places = Object.keys(packages)
  return Object.entries(packages).flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !places.some((place) => place.endsWith(`node_modules/${name}`)))
      .map((name) => `package-lock.json:1: ${from} needs ${name}; run scripts/complete-lock.mjs`),
  )
}
