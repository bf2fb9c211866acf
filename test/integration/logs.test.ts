import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runDriver, until, withCluster } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'

const head = `import * as ray from 'typeray'\n`

/** All that the files of one stream hold. */
function logged(sessionDir: string, end: 'out' | 'err'): string {
  const folder = path.join(sessionDir, 'logs')
  return readdirSync(folder)
    .filter((name) => name.endsWith(`.${end}`))
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('')
}

function workerLog(sessionDir: string, workerId: string, pid: number): string {
  return path.join(sessionDir, 'logs', `worker-${workerId}-${pid}.out`)
}

const whoAmI = ray.remote(() => {
  const { workerId, pid } = ray.getRuntimeContext()
  return { workerId, pid }
})

test('a session has a folder of its own, which tasks know too', () =>
  withCluster({ numCpus: 1 }, async ({ session }) => {
    const { sessionDir, sessionName } = session
    assert.equal(path.basename(sessionDir), sessionName)
    assert.equal(statSync(sessionDir).mode & 0o777, 0o700)
    const there = ray.remote(() => ray.getRuntimeContext().sessionDir)
    assert.equal(await ray.get(there.remote()), sessionDir)
    assert.equal(ray.getRuntimeContext().sessionDir, sessionDir)
    const log = path.join(sessionDir, 'logs', 'raylet.log')
    await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('has started'))
  }))

test('a tempDir that cannot be used is an error that names it', async () => {
  for (const folder of ['/dev/null', '/proc', '/proc/self/deep']) {
    await assert.rejects(
      ray.init({ tempDir: `${folder}/no-such-place` }),
      (error: unknown) => error instanceof ray.SessionError && /no-such-place/.test(error.message),
    )
  }
  await assert.rejects(ray.init({ tempDir: '' }), /tempDir/)
})

test('what workers write is in files of their own, also when the driver does not print it', () =>
  withCluster({ numCpus: 1, logToDriver: false }, async ({ session }) => {
    const talk = ray.remote(function talkative() {
      console.log('to out')
      console.error('to err')
      return ray.getRuntimeContext().taskId
    })
    const taskId = await ray.get(talk.remote())
    const { workerId, pid } = await ray.get(whoAmI.remote())
    const file = workerLog(session.sessionDir, workerId, pid)
    await until(() => existsSync(file) && readFileSync(file, 'utf8').includes('to out'))
    assert.equal(readFileSync(file, 'utf8'), `:task:${taskId}:talkative\nto out\n`)
    await until(() => logged(session.sessionDir, 'err').includes('to err\n'))
  }))

test('log files are rotated by size', () =>
  withCluster(
    { numCpus: 1, logToDriver: false, logRotateBytes: 20_000, logRotateBackups: 1 },
    async ({ session }) => {
      const talk = ray.remote(async () => {
        for (let i = 0; i < 50; i++) {
          console.log(String(i).padStart(1000))
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      })
      await ray.get(talk.remote())
      const { workerId, pid } = await ray.get(whoAmI.remote())
      const file = workerLog(session.sessionDir, workerId, pid)
      await until(() => existsSync(file) && / 49\n$/.test(readFileSync(file, 'utf8')))
      assert.ok(existsSync(`${file}.1`))
      assert.ok(!existsSync(`${file}.2`))
    },
  ))

test('a full disk stops no output, and the loss is counted', async () => {
  const { code, stdout, stderr } = await runDriver(
    `${head}
    import { symlinkSync } from 'node:fs'
    const session = await ray.init({ numCpus: 1 })
    const who = ray.remote(() => ray.getRuntimeContext().workerId + '-' + process.pid)
    const name = await ray.get(who.remote())
    symlinkSync('/dev/full', session.sessionDir + '/logs/worker-' + name + '.out')
    const talk = ray.remote(function talk() { console.log('still here') })
    await ray.get(talk.remote())
    await ray.shutdown()`,
  )
  assert.equal(code, 0)
  assert.match(stdout, /^\(talk pid=\d+\) still here\n$/)
  assert.match(stderr, /cannot be written \(ENOSPC/)
  assert.match(stderr, /\d lines are missing/)
})

test('lines have the name of the task that wrote them, not of the first of its lease', async () => {
  const { code, stdout } = await runDriver(
    `${head}
    await ray.init({ numCpus: 1 })
    const quiet = ray.remote(function quiet() {})
    const first = ray.remote(function first() { process.stdout.write('without end') })
    const second = ray.remote(async function second() {
      await new Promise((resolve) => setTimeout(resolve, 5))
      console.log('of second')
    })
    const named = second.options({ name: 'renamed' })
    await ray.get([quiet, first, second, named].map((f) => f.remote()))
    class Speaker { async say(text) { await null; console.log(text) } }
    const speaker = ray.remote(Speaker).options({ maxConcurrency: 2 }).remote()
    await ray.get([speaker.say.remote('a'), speaker.say.remote('b')])
    await ray.shutdown()`,
  )
  assert.equal(code, 0)
  const lines = stdout.replaceAll(/ pid=\d+/g, '').split('\n')
  assert.deepEqual(lines, [
    '(first) without end',
    '(second) of second',
    '(renamed) of second',
    '(Speaker) a',
    '(Speaker) b',
    '',
  ])
})

test('lines that several workers write are folded into one with their number', async () => {
  const program = `${head}
    await ray.init({ numCpus: 2 })
    class Crew { say(i) { console.log('at step ' + i) } }
    const Member = ray.remote(Crew)
    const crew = Array.from({ length: 3 }, () => Member.remote())
    for (let i = 0; i < 3; i++) await ray.get(crew.map((one) => one.say.remote(i)))
    await ray.shutdown()`
  const folded = await runDriver(program)
  // The first line of the pattern is somebody's, and only what others wrote is held back.
  const shown = folded.stdout.trim().split('\n')
  assert.match(shown[0] ?? '', /^\(Crew pid=\d+\) at step 0$/)
  const last = /^\(Crew pid=\d+\) at step 2 \[repeated (\d)x across cluster\]$/.exec(
    shown.at(-1) ?? '',
  )
  assert.equal(shown.length - 1 + Number(last?.[1]), 9, folded.stdout)
  const all = await runDriver(program, { env: { TYPERAY_DEDUP_LOGS: '0' } })
  assert.equal(all.stdout.trim().split('\n').length, 9)
  assert.doesNotMatch(all.stdout, /repeated/)
})

test('as JSON each line says who wrote it and when; console levels can be left out', async () => {
  const { stdout } = await runDriver(
    `${head}
    const session = await ray.init({
      numCpus: 1,
      loggingConfig: { encoding: 'JSON', logLevel: 'WARNING', additionalAttributes: ['pid'] },
    })
    const f = ray.remote(function f() {
      console.log('left out')
      console.warn('a warning of "f"')
      process.stdout.write('written\\n')
      const { taskId, workerId, jobId } = ray.getRuntimeContext()
      return { taskId, workerId, jobId, pid: process.pid }
    })
    const facts = await ray.get(f.remote())
    await ray.shutdown()
    const { readFileSync } = await import('node:fs')
    const file = session.sessionDir + '/logs/worker-' + facts.workerId + '-' + facts.pid
    console.log('facts ' + JSON.stringify(facts))
    console.log('file ' + readFileSync(file + '.err', 'utf8').trim())`,
  )
  const lines = stdout.trim().split('\n')
  const facts = JSON.parse(lines.find((line) => line.startsWith('facts '))!.slice(6)) as object
  const written = JSON.parse(lines.find((line) => line.includes('"written"'))!) as object
  const expected = { ...facts, actorId: '', name: 'f' }
  const { time, ...rest } = written as { time: string }
  assert.ok(!Number.isNaN(Date.parse(time)))
  assert.deepEqual(rest, { level: 'INFO', ...expected, stream: 'stdout', message: 'written' })
  const { time: _, ...filed } = JSON.parse(
    lines.find((line) => line.startsWith('file '))!.slice(5),
  ) as { time: string }
  assert.deepEqual(filed, {
    level: 'WARNING',
    ...expected,
    stream: 'stderr',
    message: 'a warning of "f"',
  })
  assert.ok(!stdout.includes('left out'))
})

test('options of logging that make no sense are refused by name', async () => {
  const wrong: [ray.InitOptions, RegExp][] = [
    [{ loggingConfig: { encoding: 'XML' as 'JSON' } }, /encoding.*XML/],
    [{ loggingConfig: { logLevel: 'LOUD' as 'INFO' } }, /logLevel.*LOUD/],
    [{ loggingConfig: { additionalAttributes: ['no' as 'pid'] } }, /additionalAttributes.*no/],
    [{ loggingConfig: { colour: true } as ray.LoggingConfig }, /'colour'/],
    [{ logRotateBytes: 0 }, /logRotateBytes/],
    [{ logRotateBackups: -1 }, /logRotateBackups/],
  ]
  for (const [options, message] of wrong) await assert.rejects(ray.init(options), message)
})
