// `npm run check`: the one command to know before a commit. Format, types and lint run two at a
// time, then the tests that need no process but their own. Under a minute on two cores.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { setup } from './setup.mjs'
import { root } from './sources.mjs'

const stepsAtOnce = 2

// The slowest first, so that two lanes end together.
const steps = [
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  { name: 'format', command: ['npm', 'run', '--silent', 'format:check'] },
]

function run([command, ...args], stdio) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', ...stdio] })
  let output = ''
  const keep = (chunk) => {
    output += chunk
  }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ isOk: code === 0, output }))
  })
}

async function runStep({ name, command }) {
  const started = performance.now()
  const { isOk, output } = await run(command, ['pipe', 'pipe'])
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${isOk ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`)
  if (!isOk) console.log(output)
  return isOk
}

async function main() {
  await setup()
  const waiting = [...steps]
  const results = []
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      results.push(await runStep(step))
    }
  }
  await Promise.all(Array.from({ length: stepsAtOnce }, lane))
  const testRunner = path.join(root, 'scripts', 'run-tests.mjs')
  const tests = await run([process.execPath, testRunner, 'check'], ['inherit', 'inherit'])
  const isOk = tests.isOk && results.every(Boolean)
  console.log(isOk ? 'check: all well' : 'check: failed, see above')
  process.exitCode = isOk ? 0 : 1
}

await main()
