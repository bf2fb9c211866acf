// Finds what a test left behind: processes, temporary files, sockets, shared memory.
//
// Every test file runs with a mark in its environment and a temporary folder of its own. Children
// inherit both, so a process that outlived its test is found whatever it is called, and other
// checkouts on the same machine are never blamed.
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export const markName = 'TYPERAY_TEST_MARK'
const settleMsMax = 5000

// Caches that tools of the tests keep in the temporary folder, and the folders of sessions, which
// stay after a session on purpose.
const toolCaches = /^(typeray-\d+$|tsx-|node-compile-cache|v8-compile-cache|esbuild-|npm-|core\.)/

const readQuietly = (read) => {
  try {
    return read()
  } catch {
    return undefined // The process ended while it was being looked at, or is somebody else's.
  }
}

const processIds = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name))

function commandLine(pid) {
  const text = readQuietly(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? ''
  return text.replaceAll('\0', ' ').trim().slice(0, 200)
}

/** Ids of living processes that were started, at any remove, by the test with this mark. */
export function markedProcesses(mark) {
  const wanted = `${markName}=${mark}`
  return processIds().filter((pid) => {
    const environment = readQuietly(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))
    return environment?.split('\0').includes(wanted) === true
  })
}

function look(mark, folder) {
  const processes = markedProcesses(mark).map((pid) => `process ${pid}: ${commandLine(pid)}`)
  const files = readdirSync(folder)
    .filter((name) => !toolCaches.test(name))
    .map((name) => `temporary file ${name}`)
  return [...processes, ...files]
}

/** What is still there of a test that ended. An orderly shutdown is given a few seconds. */
export async function leftoversOf(mark, folder) {
  const deadline = performance.now() + settleMsMax
  let found = look(mark, folder)
  while (found.length > 0 && performance.now() < deadline) {
    await delay(50)
    found = look(mark, folder)
  }
  return found
}

/** Ends what `leftoversOf` has reported. */
export function endMarked(mark) {
  for (const pid of markedProcesses(mark)) readQuietly(() => process.kill(Number(pid), 'SIGKILL'))
}

const sharedMemoryNames = () =>
  existsSync('/dev/shm') ? readdirSync('/dev/shm').map((name) => `/dev/shm/${name}`) : []

function abstractSockets() {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n').slice(1)
  const columns = lines.map((line) => line.trim().split(/\s+/))
  return columns
    .filter(([, , , , , , , name]) => name?.startsWith('@') && name.includes('typeray'))
    .map(([, , , , , , inode, name]) => ({ inode, name }))
}

function isOurSocket({ inode }, runMark) {
  const link = `socket:[${inode}]`
  const holders = processIds().filter((pid) => {
    const names = readQuietly(() => readdirSync(`/proc/${pid}/fd`)) ?? []
    return names.some((fd) => readQuietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === link)
  })
  const isOurs = (pid) =>
    readQuietly(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))?.includes(runMark) === true
  return holders.some(isOurs)
}

/** Remembers the named shared memory there is; the function it returns lists what came since. */
export function watchMachine(runMark) {
  const before = new Set(sharedMemoryNames())
  return () => [
    ...sharedMemoryNames().filter((name) => !before.has(name)),
    ...abstractSockets()
      .filter((socket) => isOurSocket(socket, runMark))
      .map(({ name }) => `abstract socket ${name}`),
  ]
}
