// Makes a checkout ready to run: packages as the lock file says, and a build of the present sources.
//
// It runs before anything is installed, so it uses nothing but Node itself. It is also cheap enough
// to be called by every script: when nothing changed it reads two files and the times of the rest.
//
// Staleness is judged by contents, not by the age of node_modules: a fresh clone gives every file
// the time of the clone, and switching branches touches the lock file without changing it.
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { runNpm } from './npm.mjs'
import { fingerprintFile, isMain, root, sourceFingerprint } from './sources.mjs'

function readLock(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {}
}

/** Says why packages must be installed; undefined when what is there is what the lock file names. */
export function installProblem() {
  const modules = path.join(root, 'node_modules')
  const installedFile = path.join(modules, '.package-lock.json')
  if (!existsSync(installedFile)) return 'node_modules is missing'
  const wanted = readLock(path.join(root, 'package-lock.json'))
  const installed = readLock(installedFile)
  for (const [name, entry] of Object.entries(wanted)) {
    if (name === '') continue
    const found = installed[name]
    if (found === undefined && entry.optional !== true && entry.peer !== true) {
      return `${name} is missing`
    }
    if (found !== undefined && found.version !== entry.version) {
      return `${name} is ${found.version}, the lock file says ${entry.version}`
    }
  }
  return undefined
}

export function ensureInstalled() {
  const problem = installProblem()
  if (problem === undefined) return
  const modules = path.join(root, 'node_modules')
  if (existsSync(modules) && lstatSync(modules).isSymbolicLink()) {
    // npm ci empties the folder first: through a link that would be somebody else's.
    console.error(`setup: ${problem}; node_modules is a link, so it is left alone`)
    return
  }
  console.error(`setup: ${problem}: npm ci`)
  const stdio = ['ignore', process.stderr.fd, process.stderr.fd]
  const code = runNpm(['ci', '--include=dev', '--no-audit', '--no-fund'], { cwd: root, stdio })
  if (code !== 0) throw new Error(`npm ci failed with exit code ${code}`)
}

export async function ensureBuilt() {
  const built = existsSync(fingerprintFile) ? readFileSync(fingerprintFile, 'utf8') : ''
  if (built === sourceFingerprint()) return
  const { buildAll } = await import('./build.mjs')
  await buildAll()
}

/** All the set-up there is. Every script of package.json begins with it. */
export async function setup() {
  ensureInstalled()
  await ensureBuilt()
}

if (isMain(import.meta.url)) await setup()
