import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runDriver, startDriver, withCluster } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'

const head = `import * as ray from 'typeray'\n`

test('a program ends by itself without shutdown, with exit code 0', async () => {
  const { code, stdout, stderr } = await runDriver(
    `${head}
    await ray.init({ numCpus: 1 })
    const f = ray.remote((x) => x + 1)
    console.log(await ray.get(f.remote(1)))`,
  )
  assert.deepEqual([code, stdout, stderr], [0, '2\n', ''])
})

test(
  'the first call starts a session if there is none, also without any await ' + 'before',
  async () => {
    const { code, stdout } = await runDriver(
      `${head}
    const f = ray.remote((x) => x * 2)
    const ref = f.remote(21)
    console.log(ray.isInitialized(), await ref.get())`,
    )
    assert.deepEqual([code, stdout], [0, 'true 42\n'])
  },
)

test('CommonJS programs can require the package', async () => {
  const { code, stdout, stderr } = await runDriver(
    `const ray = require('typeray')
    async function main() {
      await ray.init({ numCpus: 1 })
      const factor = 3
      console.log(await ray.get(ray.remote((x) => x * factor).remote(5)))
      await ray.shutdown()
    }
    main()`,
    { type: 'commonjs', execArgv: ['--no-warnings'] },
  )
  assert.deepEqual([code, stdout, stderr], [0, '15\n', ''])
})

test('a pending task does not keep a program alive, a pending get does', async () => {
  const { code, stdout } = await runDriver(
    `${head}
    await ray.init({ numCpus: 1 })
    const slow = ray.remote(() => new Promise((resolve) => setTimeout(resolve, 1e8)))
    slow.remote()
    const quick = ray.remote(() => new Promise((resolve) => setTimeout(() => resolve('got'), 300)))
    quick.options({ numCpus: 0 }).remote().get().then(console.log)`,
  )
  assert.deepEqual([code, stdout], [0, 'got\n'])
})

test('SIGINT ends the program with 130 and leaves nothing', async () => {
  const driver = startDriver(
    `${head}
    await ray.init({ numCpus: 1 })
    const spin = ray.remote(() => { console.log('spinning'); for (;;); })
    await ray.get(spin.remote())`,
  )
  await driver.said('spinning')
  assert.ok(driver.processes().length >= 2)
  driver.kill('SIGINT')
  const { code, signal } = await driver.ended
  assert.deepEqual([code, signal], [130, null])
})

test('process.exit and an uncaught error leave nothing', async () => {
  const start = `${head}
    await ray.init({ numCpus: 1 })
    await ray.get(ray.remote(() => 1).remote())`
  assert.equal((await runDriver(`${start}\nprocess.exit(7)`)).code, 7)
  const { code, stderr } = await runDriver(`${start}\nthrow new RangeError('of the user')`)
  assert.equal(code, 1)
  assert.match(stderr, /of the user/)
})

test('init twice is an error, unless it may be ignored', () =>
  withCluster({ numCpus: 1 }, async ({ session }) => {
    await assert.rejects(ray.init(), ray.SessionError)
    await assert.rejects(ray.init(), /ignoreReinitError/)
    const same = await ray.init({ ignoreReinitError: true })
    assert.equal(same.sessionName, session.sessionName)
  }))

test('await using shuts the session down, and another one can be started after it', async () => {
  const names: string[] = []
  for (let i = 0; i < 2; i++) {
    await using session = await ray.init({ numCpus: 1 })
    names.push(session.sessionName)
    assert.equal(await ray.get(ray.remote((x: number) => x).remote(i)), i)
  }
  assert.equal(ray.isInitialized(), false)
  assert.notEqual(names[0], names[1])
  await ray.shutdown()
})

test('a remote function works in the next session too', async () => {
  const f = ray.remote((x: number) => x + 1)
  const C = ray.remote(
    class {
      n = 0
      inc() {
        return ++this.n
      }
    },
  )
  for (let i = 0; i < 2; i++) {
    await withCluster({ numCpus: 1 }, async () => {
      assert.equal(await ray.get(f.remote(i)), i + 1)
      assert.equal(await ray.get(C.remote().inc.remote()), 1)
    })
  }
})

test('init in a worker does nothing, shutdown there is refused', () =>
  withCluster({ numCpus: 1 }, async () => {
    const inner = ray.remote(async () => {
      await ray.init({ numCpus: 7 })
      const refusal = await ray.shutdown().catch((error: unknown) => String(error))
      return [(await ray.clusterResources())['CPU'], String(refusal)] as const
    })
    const [cpus, refusal] = await ray.get(inner.remote())
    assert.equal(cpus, 1)
    assert.match(refusal, /worker/)
  }))

test('nodes and resources are told', () =>
  withCluster({ numCpus: 2, resources: { special: 3 } }, async ({ session }) => {
    const [node] = await ray.nodes()
    assert.equal(node?.nodeId, session.nodeId)
    assert.equal(node?.alive, true)
    const total = await ray.clusterResources()
    assert.deepEqual([total['CPU'], total['special']], [2, 3])
  }))

test('what workers write appears with the name and pid of the writer', async () => {
  const { code, stdout, stderr } = await runDriver(
    `${head}
    await ray.init({ numCpus: 1 })
    const talk = ray.remote(function talk() {
      console.log('to out')
      console.error('to err')
      return process.pid
    })
    const pid = await ray.get(talk.remote())
    class Speaker { say(text) { console.log(text) } }
    const speaker = ray.remote(Speaker).remote()
    await ray.get(speaker.say.remote('line 1\\nline 2'))
    await ray.shutdown()
    console.log('pid is', pid)`,
  )
  assert.equal(code, 0)
  const pid = /pid is (\d+)/.exec(stdout)?.[1]
  assert.ok(stdout.includes(`(talk pid=${pid}) to out\n`), stdout)
  assert.ok(stderr.includes(`(talk pid=${pid}) to err\n`), stderr)
  assert.match(stdout, /\(Speaker[^)]* pid=\d+\) line 1\n\(Speaker[^)]* pid=\d+\) line 2\n/)
})

test('logToDriver false keeps what workers write to itself', async () => {
  const { stdout } = await runDriver(
    `${head}
    await ray.init({ numCpus: 1, logToDriver: false })
    await ray.get(ray.remote(() => console.log('hidden')).remote())
    await ray.shutdown()`,
  )
  assert.equal(stdout, '')
})

test('handles and refs of a session that is over are refused', async () => {
  const { code, stdout, stderr } = await runDriver(
    `${head}
    const C = ray.remote(class C { n = 0; inc() { return ++this.n } })
    await ray.init({ numCpus: 1 })
    const old = C.remote()
    const big = ray.put(new Float64Array(100_000))
    await ray.get(old.inc.remote())
    await ray.shutdown()
    await ray.init({ numCpus: 1 })
    const uses = [
      () => old.inc.remote(),
      () => ray.remote((c) => c).remote(old),
      () => ray.kill(old),
      () => ray.get(big),
    ]
    for (const use of uses) {
      try {
        await use()
        console.log('used')
      } catch (error) {
        console.log(error.code)
      }
    }
    await ray.shutdown()`,
  )
  assert.equal(code, 0, stderr)
  assert.deepEqual(stdout.trim().split('\n'), Array(4).fill('RAY_SESSION'))
})

test('a handle of a session that was shut down says so, also inside arguments', async () => {
  class Tally {
    inc() {
      return 1
    }
  }
  const Remote = ray.remote(Tally)
  const use = ray.remote((handles: readonly unknown[]) => handles.length)
  const old = await withCluster({ numCpus: 1 }, async () => {
    const made = Remote.options({ name: 'old' }).remote()
    await ray.get(made.inc.remote())
    return [made, await ray.getActor<Tally>('old')]
  })
  await withCluster({ numCpus: 1 }, async () => {
    const over = /actor Tally \([0-9a-f]{24}\) belongs to a session that was shut down/
    for (const handle of old) {
      assert.throws(() => handle.inc.remote(), over)
      assert.throws(() => use.remote([handle]), over)
      assert.throws(() => ray.kill(handle), over)
    }
    assert.equal(await ray.get(Remote.remote().inc.remote()), 1)
  })
})
