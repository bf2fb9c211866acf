// The command line, as processes: what it prints, where, and with which exit code.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/testing/index.js'
import { withHead } from './head-cluster.js'

const program = `
  class Counter {
    hello() { console.log('hello from the actor'); return 1 }
  }
  await ray.init({ namespace: 'shop' })
  const actor = ray.remote(Counter).options({ name: 'counter', lifetime: 'detached' }).remote()
  const fail = ray.remote({ name: 'fail' }, () => { throw new Error('out of stock') })
  await ray.get(actor.hello.remote())
  await ray.get(fail.remote()).catch(() => undefined)
  globalThis.kept = ray.put(new Uint8Array(2_000_000))
  console.log('ready')
  await new Promise((resolve) => setTimeout(resolve, 1e6))
`

/** The commands of docs/cli.md that only ask. */
const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
const documented = [...page.matchAll(/^typeray (?<line>[^|\n]+)/gm)]
  .map((found) => found.groups?.['line']?.trim() ?? '')
  .filter((line) => /^(list|summary|get|memory|status|logs)\b/.test(line) && !line.includes('<'))
assert.ok(documented.length >= 3, 'the page has examples')

type Rows = readonly Readonly<Record<string, unknown>>[]

void test('commands list, count and find what a program does, and say what is wrong', () =>
  withHead([], async ({ cli, driver, folder }) => {
    // It lives as long as the commands take, which on a busy machine are minutes.
    const running = driver(program, { timeoutMs: 170_000 })
    await running.said('ready')
    const rows = async (...args: readonly string[]): Promise<Rows> => {
      const end = await cli(...args, '--format', 'json')
      assert.equal(end.code, 0, end.stderr)
      return JSON.parse(end.stdout) as Rows
    }
    const [failed] = await until(async () => {
      const found = await rows('list', 'tasks', '--filter', 'state=FAILED', '--detail')
      return found.length > 0 ? found : undefined
    })
    assert.equal(failed?.['name'], 'fail')
    assert.match(String(failed['errorMessage']), /out of stock/)
    const [actor, ...others] = await rows('list', 'actors', '--filter', 'state!=DEAD')
    assert.deepEqual(others, [])
    assert.equal(actor?.['className'], 'Counter')
    const id = String(actor['actorId'])

    const table = await cli('list', 'workers', '--limit', '1')
    assert.match(table.stdout, /^ workerId +isAlive +workerType/)
    assert.match(table.stderr, /^1 of \d+ workers .*--limit \d+ shows all\n/)
    const yaml = await cli('get', 'actors', id, '--format', 'yaml')
    assert.match(yaml.stdout, /^ *className: "Counter"$/m)
    assert.match((await cli('summary', 'tasks')).stdout, /fail +NORMAL_TASK +FAILED: 1/)
    assert.match((await cli('summary', 'actors')).stdout, /Counter +ALIVE: 1/)
    assert.match((await cli('summary', 'objects')).stdout, /totalSizeMb +2\./)
    assert.match(
      (await cli('memory')).stdout,
      /^Owner \w+ pid=\d+: \d+ objects[^]*PINNED_IN_MEMORY/,
    )
    assert.match((await cli('status')).stdout, /^Nodes {4}1 alive, 0 dead$/m)
    assert.match((await cli('logs')).stdout, /worker-\w+-\d+\.out/)
    await until(async () => {
      const { stdout } = await cli('logs', '--actor', id, '--tail', '1')
      return stdout === 'hello from the actor\n'
    })
    const file = path.join(folder, 'trace.json')
    assert.equal((await cli('timeline', '--output', file)).code, 0)
    const events = JSON.parse(readFileSync(file, 'utf8')) as { name: string }[]
    assert.ok(events.some(({ name }) => name === 'Counter.hello'))

    for (const line of documented) {
      const { code, stderr } = await cli(...line.split(' '))
      assert.equal(code, 0, `typeray ${line}: ${stderr}`)
    }

    const wrong = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await cli(...args)
      assert.equal(code, 1)
      assert.equal(stdout, '')
      return stderr
    }
    assert.match(await wrong('get', 'actors', 'nobody'), /^typeray: There is no actor .* nobody/)
    assert.match(await wrong('list', 'tasks', '--filter', 'nam=1'), /^typeray: 'nam' is not a/)
    assert.match(await wrong('list', 'tasks', '--filter', 'name'), /^typeray: The filter 'name'/)
    assert.match(await wrong('list', 'stars'), /'stars' is invalid.*Allowed choices are tasks/)
    assert.match(await wrong('status', '--address', 'session_x'), /^typeray: There is no session/)
    assert.match(await wrong('logs', 'nothing-*'), /^typeray: No log file/)
    assert.match(await wrong('begin'), /unknown command 'begin'/)

    running.kill('SIGKILL')
    await running.ended
    const [job] = await until(async () => {
      const found = await rows('list', 'jobs', '--filter', 'status=FAILED')
      return found.length > 0 ? found : undefined
    })
    assert.match(String(job?.['entrypoint']), /driver\.js$/)
    assert.equal((await rows('list', 'actors', '--filter', 'state=ALIVE')).length, 1)
  }))

test('a program does not join a session of another version, and both versions are named', () =>
  withHead([], async ({ folder, cli, driver }) => {
    const sessionDir = readFileSync(path.join(folder, 'current'), 'utf8')
    const file = path.join(sessionDir, 'session.json')
    const written = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
    const mine = written.version
    const pretend = (other: object): void =>
      writeFileSync(file, JSON.stringify({ ...written, ...other }))
    const joins = `await ray.init(); console.log('joined')`

    pretend({ version: '99.1.2' })
    for (const source of [joins, `ray.put(1)`]) {
      const { code, stderr } = await driver(source).ended
      assert.equal(code, 1)
      assert.match(stderr, /runs typeray 99\.1\.2 .* this program uses typeray/)
      assert.ok(stderr.includes(`typeray ${mine} `), stderr)
    }
    const asked = await cli('status')
    assert.equal(asked.code, 1)
    assert.match(asked.stderr, /^typeray: The session at .* runs typeray 99\.1\.2/)
    pretend({ wireVersion: 99 })
    assert.match((await driver(joins).ended).stderr, /wire version 99/)
    pretend({ version: `${mine.split('.')[0] ?? ''}.99.0` })
    assert.equal((await driver(joins).ended).stdout, 'joined\n')
  }))

test('all tasks of a program that ends at once are listed', () =>
  withHead([], async ({ cli, run }) => {
    await run(`
      const f = ray.remote(function brief() { return 1 })
      await ray.get(Array.from({ length: 300 }, () => f.remote()))`)
    const { stdout } = await cli('summary', 'tasks')
    assert.match(stdout, /brief +NORMAL_TASK +FINISHED: 300/)
  }))
