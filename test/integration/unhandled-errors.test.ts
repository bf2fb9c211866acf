import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runDriver } from '../../src/testing/index.js'

/** Of a program that can collect garbage, and wait until something is on its stderr. */
const head = `import * as ray from 'typeray'
  import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc')
  let said = ''
  const write = process.stderr.write
  process.stderr.write = function (text, ...rest) {
    said += text
    return write.call(this, text, ...rest)
  }
  const until = async (condition) => {
    for (let i = 0; i < 2000 && !(await condition()); i++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  await ray.init({ numCpus: 1 })
  const fail = ray.remote(function fail(text) { throw new RangeError(text) })
  const settled = (ref) => ray.wait([ref], { timeoutMs: 60_000 })\n`

test('dropping a failed ref unseen tells its error once, with where it was thrown', async () => {
  const { code, stderr } = await runDriver(`${head}
    await (async () => { await settled(fail.remote('dropped')) })()
    await until(() => (gc(), said.includes('dropped')))
    gc()
    await ray.shutdown()`)
  assert.equal(code, 0)
  assert.equal(stderr.split('Unhandled error').length, 2, stderr)
  assert.match(stderr, /^Unhandled error: fail failed: RangeError: dropped\n +at .*driver\.js/)
  assert.match(stderr, /TYPERAY_IGNORE_UNHANDLED_ERRORS=1/)
})

test('errors that were seen are silent, and so is what the program did itself', async () => {
  const { code, stderr } = await runDriver(`${head}
    const ignore = () => undefined
    await ray.get(fail.remote('got')).catch(ignore)
    await ray.get([fail.remote('first'), fail.remote('with it')]).catch(ignore)
    const [ref] = fail.options({ numReturns: 2 }).remote('one of two')
    await ray.get(ref).catch(ignore)
    const bad = fail.remote('passed on')
    await ray.get(ray.remote((x) => x).remote(bad)).catch(ignore)
    const freed = fail.remote('freed')
    await settled(freed)
    ray.free(freed)
    const never = ray.remote(() => new Promise(() => {}))
    const stopped = never.remote()
    ray.cancel(stopped)
    await settled(stopped)
    const actor = ray.remote(class { run() { return new Promise(() => {}) } }).remote()
    const running = actor.run.remote()
    ray.kill(actor)
    await settled(running)
    never.remote()
    await ray.shutdown()`)
  assert.deepEqual([code, stderr], [0, ''])
})

test('what nobody has looked at is told when the session ends, at a limited rate', async () => {
  const { stderr } = await runDriver(`${head}
    const crash = ray.remote({ maxRetries: 0 }, function crash() { process.exit(3) })
    const refs = [crash.remote()]
    await settled(refs[0])
    for (let i = 0; i < 30; i++) refs.push(fail.remote('number ' + i))
    await ray.wait(refs, { numReturns: refs.length })`)
  assert.match(stderr, /Unhandled error: Task crash .*exit code 3/)
  assert.match(stderr, /RangeError: number \d+\n/)
  assert.doesNotMatch(stderr, /typeray:task/)
  assert.equal(stderr.split('Unhandled error:').length, 11, stderr)
  assert.match(stderr, /Unhandled errors: 21 more like these\.\n$/)
})

test('an actor that could not be made is told of when nobody calls it', async () => {
  const { code, stderr } = await runDriver(`${head}
    class Broken { constructor() { throw new TypeError('no way') } use() {} }
    const actor = ray.remote(Broken).remote()
    await until(() => said.includes('no way'))
    await ray.get(actor.use.remote()).catch(() => undefined)
    await ray.shutdown()`)
  assert.equal(code, 0)
  assert.equal(stderr.split('Unhandled error').length, 2, stderr)
  assert.match(stderr, /Broken.*\n?.*TypeError: no way/)
})

test('the environment variable and the option of init silence all of it', async () => {
  const program = `${head}
    const inner = ray.remote(function inner() { throw new Error('inside') })
    const outer = ray.remote(async function outer() { await ray.wait([inner.remote()]) })
    await ray.get(outer.remote())
    await settled(fail.remote('dropped'))`
  const env = { TYPERAY_IGNORE_UNHANDLED_ERRORS: '1' }
  assert.equal((await runDriver(program, { env })).stderr, '')
  const option = program.replace('numCpus: 1', 'numCpus: 1, ignoreUnhandledErrors: true')
  assert.equal((await runDriver(option)).stderr, '')
})

test('an actor or placement group that can never be and is not used is told of', async () => {
  const { code, stderr } = await runDriver(`${head}
    const Big = ray.remote({ resources: { huge: 1 } }, class Big { run() {} })
    const unseen = Big.remote()
    const seen = Big.remote()
    await ray.get(seen.run.remote()).catch(() => undefined)
    const group = ray.placementGroup([{ huge: 2 }])
    const known = ray.placementGroup([{ huge: 3 }])
    await ray.get(known.ready()).catch(() => undefined)
    await until(() => said.includes('Big') && said.includes(group.id))
    await ray.shutdown()
    if (said.includes(known.id)) console.error('told of what was known')`)
  assert.equal(code, 0, stderr)
  assert.equal(stderr.split('Unhandled error').length, 3, stderr)
  assert.match(stderr, /Unhandled error: Actor Big.*huge/)
})

test('above an error that nobody catches stands no line of ours', async () => {
  const { code, stderr } = await runDriver(`import * as ray from 'typeray'\nray.remote(1)`)
  assert.equal(code, 1)
  assert.match(stderr, /^TypeError: ray\.remote takes a function or a class/)
})
