import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { logWaitingCharsMax } from '../base/limits.js'
import { LogFile, type LogFileOptions } from './log-file.js'

async function withLog(
  options: Partial<LogFileOptions>,
  run: (log: LogFile, file: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'typeray-log-'))
  const file = path.join(folder, 'worker.out')
  const log = new LogFile(file, {
    rotateBytes: 1e6,
    backups: 2,
    lost: (_, error) => assert.fail(error),
    ...options,
  })
  try {
    await run(log, file)
  } finally {
    await log.close()
    rmSync(folder, { recursive: true })
  }
}

test('lines are in the file in order once it is closed, and it can be written again', () =>
  withLog({}, async (log, file) => {
    for (let i = 0; i < 100; i++) log.write([`line ${i}`, `also ${i}`])
    await log.close()
    log.write(['after'])
    await log.close()
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    assert.equal(lines.length, 201)
    assert.deepEqual(lines.slice(-3), ['line 99', 'also 99', 'after'])
  }))

test('a file that grows too large is rotated, and only so many are kept', () =>
  withLog({ rotateBytes: 100, backups: 2 }, async (log, file) => {
    for (let i = 0; i < 10; i++) {
      log.write([String(i).repeat(60)])
      await log.close()
    }
    const names = readdirSync(path.dirname(file)).sort()
    assert.deepEqual(names, ['worker.out', 'worker.out.1', 'worker.out.2'])
    const kept = names.map((name) => readFileSync(path.join(path.dirname(file), name), 'utf8')[0])
    assert.deepEqual(kept, ['9', '8', '7'])
  }))

test('a full disk loses lines, which are counted, and nothing else', async () => {
  let lost = 0
  const options = {
    lost: (lines: number, error: Error): void => {
      lost += lines
      assert.match(error.message, /ENOSPC/)
    },
  }
  await withLog(options, async (log, file) => {
    symlinkSync('/dev/full', file)
    log.write(['one', 'two'])
    await log.close()
    log.write(['three'])
    await log.close()
    assert.equal(lost, 3)
    unlinkSync(file)
    log.write(['four'])
    await log.close()
    assert.equal(readFileSync(file, 'utf8'), '[typeray: 3 lines were lost here]\nfour\n')
  })
})

test('says when too much waits, and when that is over', () =>
  withLog({ rotateBytes: 1e9 }, async (log) => {
    assert.equal(log.write(['little']), true)
    assert.equal(log.write(['x'.repeat(logWaitingCharsMax)]), false)
    await new Promise<void>((resolve) => log.whenDrained(resolve))
    assert.equal(log.write(['little']), true)
  }))
