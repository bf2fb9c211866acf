// Runs the tests, all groups or those named, and ends with a line `N passed, N failed`.
//
//   node scripts/run-tests.mjs                    everything (npm test)
//   node scripts/run-tests.mjs check              the groups of npm run check
//   node scripts/run-tests.mjs unit golden        two groups
//   node scripts/run-tests.mjs unit src/store     the files of a group below a path
//
// Node's own runner is not used for the outer loop: it neither notices what a test leaves behind
// nor bounds a file by itself. The tests inside a file are ordinary node:test.
import { randomBytes } from 'node:crypto'
import { styleText } from 'node:util'
import { setup } from './setup.mjs'
import { checkGroups, filesOf, groups } from './tests/groups.mjs'
import { watchMachine } from './tests/leftovers.mjs'
import { endRunning, runTestFile } from './tests/test-file.mjs'

const filesAtOnce = 2
const paint = (style, text) => (process.stdout.isTTY ? styleText(style, text) : text)
const indent = (text) => text.replace(/^(?=.)/gm, '      ')

function report(result) {
  const { source, passed, skipped, failures, durationMs, output } = result
  const isOk = failures.length === 0
  const counts = [
    `${passed} passed`,
    ...(isOk ? [] : [`${failures.length} failed`]),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ].join(', ')
  const sign = isOk ? paint('green', 'ok  ') : paint('red', 'FAIL')
  console.log(`  ${sign} ${source}: ${counts} (${(durationMs / 1000).toFixed(1)} s)`)
  for (const { name, error } of failures) console.log(`    ${name}\n${indent(error.trim())}`)
  for (const { name, reason } of skipped) console.log(`    skipped: ${name} (${reason})`)
  if (!isOk && output.trim() !== '') console.log(`    its output:\n${indent(output.trim())}`)
}

async function runPool(tests, runMark, onResult) {
  const waiting = [...tests]
  const runOne = async () => {
    for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) {
      onResult(await runTestFile(test, runMark))
    }
  }
  await Promise.all(Array.from({ length: filesAtOnce }, runOne))
}

async function runGroup(tests, runMark, onResult) {
  await runPool(
    tests.filter((test) => !test.isAlone),
    runMark,
    onResult,
  )
  for (const test of tests.filter((each) => each.isAlone)) {
    onResult(await runTestFile(test, runMark))
  }
}

function selection(args) {
  const isPath = (arg) => arg.includes('/') || arg.endsWith('.ts')
  const paths = args.filter(isPath)
  const named = args
    .filter((arg) => !isPath(arg))
    .flatMap((arg) => (arg === 'check' ? checkGroups : [arg]))
  const names = named.length > 0 ? named : Object.keys(groups)
  const isWanted = ({ source }) => paths.length === 0 || paths.some((each) => source.includes(each))
  return names.map((name) => ({ name, tests: filesOf(name).filter(isWanted) }))
}

async function main() {
  await setup()
  const runMark = `run-${randomBytes(6).toString('hex')}`
  const cameSince = watchMachine(runMark)
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const { name, tests } of selection(process.argv.slice(2))) {
    if (tests.length === 0) continue
    console.log(name)
    await runGroup(tests, runMark, (result) => {
      report(result)
      total.passed += result.passed
      total.failed += result.failures.length
      total.skipped += result.skipped.length
    })
  }
  const left = cameSince()
  if (left.length > 0) {
    total.failed += 1
    console.log(`the run left behind:\n${indent(left.join('\n'))}`)
  }
  const isEmpty = total.passed + total.failed === 0
  if (isEmpty) console.log('no tests ran')
  const skips = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
  console.log(`\n${total.passed} passed, ${total.failed} failed${skips}`)
  process.exitCode = isEmpty || total.failed > 0 ? 1 : 0
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    endRunning()
    process.exit(130)
  })
}
await main()
