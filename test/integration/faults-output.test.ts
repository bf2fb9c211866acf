// A task that writes a million lines: all arrive, and nobody keeps them in memory.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { withMark } from './fault-session.js'

const library = new URL('../../src/index.js', import.meta.url).href
const worker = new URL('../../src/worker/index.js', import.meta.url).href
const lineCount = 1_000_000

/** The most memory that the process ever had, in bytes. */
function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

test('a million lines of a worker arrive, and driver and raylet stay small', async () => {
  await withMark(async ({ environment }) => {
    const program = `
      import * as ray from ${JSON.stringify(library)}
      import { currentCore } from ${JSON.stringify(worker)}
      await ray.init({ numCpus: 1, objectStoreMemory: 64e6 })
      process.stderr.write('pids ' + process.pid + ' ' + currentCore().welcome.rayletPid + '\\n')
      const shout = ray.remote(function shout(n) {
        for (let i = 0; i < n; i++) console.log('line ' + i)
      })
      await ray.get(shout.remote(${lineCount}))
      process.stderr.write('done\\n')
      process.stdin.on('end', () => void ray.shutdown()).resume()`
    const args = ['--input-type=module', '--eval', program]
    const child = spawn(process.execPath, args, { env: environment, stdio: 'pipe' })
    let said = ''
    let count = 0
    let peaks: number[] = []
    const finish = (): void => {
      if (!said.includes('done') || count < lineCount || peaks.length > 0) return
      peaks = (/pids (\d+) (\d+)/.exec(said) ?? []).slice(1).map((pid) => peakOf(Number(pid)))
      child.stdin.end()
    }
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
      finish()
    })
    let prefix = ''
    createInterface({ input: child.stdout }).on('line', (line) => {
      // A pattern for each of a million lines would take longer than the lines do.
      prefix ||= /^\(shout pid=\d+\) line /.exec(line)?.[0] ?? assert.fail(line)
      if (line !== prefix + String(count)) assert.fail(`${line} is not line ${count}`)
      count++
      finish()
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    assert.equal(count, lineCount)
    assert.equal(code, 0, said)
    assert.equal(peaks.length, 2)
    for (const peak of peaks) assert.ok(peak < 400 * 1024 * 1024, `${peak} bytes`)
  })
})
