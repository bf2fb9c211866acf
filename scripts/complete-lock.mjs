// Adds to the lock file the builds for other platforms that npm left out of it.
//
// A package with prebuilt binaries names one optional package per platform. When a registry mirror
// lacks some of them, npm leaves those out of the lock file, and `npm ci` then refuses the file as
// incomplete on every machine. What npm would have written is known from the name, except the
// checksum, which only such a platform would look at.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { isMain, root } from './sources.mjs'

const platform =
  /[-/](?<os>darwin|linux|win32|freebsd|android)-(?<cpu>arm64|arm|x64|ia32|riscv64|ppc64|s390x)\b/

/** Optional packages that the lock file mentions without saying which version to install. */
export function missingBuilds(packages) {
  return Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.entries(optionalDependencies).filter(
      ([name, version]) =>
        platform.test(name) &&
        /^\d/.test(version) &&
        packages[`node_modules/${name}`] === undefined,
    ),
  )
}

function completeLock() {
  const file = path.join(root, 'package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8'))
  const missing = missingBuilds(lock.packages)
  for (const [name, version] of missing) {
    const { os, cpu } = platform.exec(name).groups
    lock.packages[`node_modules/${name}`] = { version, cpu: [cpu], optional: true, os: [os] }
  }
  if (missing.length === 0) return
  const byName = ([a], [b]) => a.localeCompare(b, 'en')
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byName))
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`)
}

if (isMain(import.meta.url)) completeLock()
