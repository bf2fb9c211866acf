// Runs one built test file in a process of its own and says what happened in it.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../sources.mjs'
import { endMarked, leftoversOf, markName } from './leftovers.mjs'

const reporter = fileURLToPath(new URL('./json-reporter.mjs', import.meta.url))
const outputCharactersMax = 20_000
const pipeMsMax = 500
const running = new Set()

const eventsOf = (folder) => `${folder}.events`

function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  rmSync(eventsOf(folder), { force: true })
}

/** Ends the test files under way, for a runner that is interrupted. */
export function endRunning() {
  for (const { child, mark, folder } of running) {
    child.kill('SIGKILL')
    endMarked(mark)
    removeFolder(folder)
  }
}

function readEvents(file) {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line))
  } catch {
    return [] // The process ended before its reporter began.
  }
}

function spawnFile({ file, timeoutMs }, { mark, folder, events }) {
  const args = [
    '--enable-source-maps',
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${events}`,
    file,
  ]
  const env = { ...process.env, TMPDIR: folder, [markName]: mark }
  // A runner above us must not make the tests believe that they are its subtests.
  delete env.NODE_TEST_CONTEXT
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const entry = { child, mark, folder }
  running.add(entry)
  let output = ''
  const keep = (chunk) => {
    output = (output + chunk).slice(-outputCharactersMax)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  return new Promise((resolve) => {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
      endMarked(mark)
    }, timeoutMs)
    // Not only 'close': a process left behind holds the pipes, and is found by other means.
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      running.delete(entry)
      const finish = () => {
        clearTimeout(patience)
        child.stdout.destroy()
        child.stderr.destroy()
        resolve({ code, signal, isLate, output })
      }
      const patience = setTimeout(finish, pipeMsMax)
      child.on('close', finish)
    })
  })
}

function endOfProcess({ code, signal, isLate, output }, timeoutMs) {
  if (isLate) return `still running after ${timeoutMs / 1000} s\n${output}`
  return `the process ended with ${signal ?? `code ${code}`} before its tests did\n${output}`
}

/**
 * Resolves to { source, passed, skipped: [{name, reason}], failures: [{name, error}], durationMs }.
 */
export async function runTestFile(test, runMark) {
  const started = performance.now()
  const folder = mkdtempSync(path.join(tmpdir(), 'typeray-test-'))
  const events = eventsOf(folder)
  const mark = `${runMark}/${path.basename(folder)}`
  try {
    const end = await spawnFile(test, { mark, folder, events })
    const lines = readEvents(events)
    const tests = lines.filter((line) => line.name !== undefined)
    const leaves = tests.filter((line) => !line.isSuite)
    const skipped = leaves
      .filter((line) => line.skipped !== undefined)
      .map(({ name, skipped: reason }) => ({ name, reason }))
    const failures = tests
      .filter((line) => !line.passed && line.error !== '')
      .map(({ name, error }) => ({ name, error }))
    const isWhole = lines.some((line) => line.ended) && !end.isLate
    if (!isWhole || (end.code !== 0 && failures.length === 0)) {
      failures.push({ name: 'the whole file', error: endOfProcess(end, test.timeoutMs) })
    } else if (leaves.length === 0) {
      failures.push({ name: 'the whole file', error: 'it has no tests' })
    }
    const left = await leftoversOf(mark, folder)
    if (left.length > 0) failures.push({ name: 'leaves nothing behind', error: left.join('\n') })
    const passed = leaves.filter((line) => line.passed && line.skipped === undefined).length
    const durationMs = performance.now() - started
    return { source: test.source, passed, skipped, failures, durationMs, output: end.output }
  } finally {
    endMarked(mark)
    removeFolder(folder)
  }
}
