// Does all set-up, then runs a built program with the remaining arguments:
//
//   node scripts/run.mjs examples/flights --rows 1000
//
// Given a folder it takes the program's name from the first argument, and lists them without one.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { setup } from './setup.mjs'
import { root } from './sources.mjs'

function programOf(target, args) {
  const file = path.join(root, 'dist', `${target}.js`)
  if (existsSync(file)) return { file, args }
  const folder = path.join(root, target)
  const names = !existsSync(folder)
    ? []
    : readdirSync(folder)
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
        .map((name) => name.slice(0, -'.ts'.length))
  const [name = '', ...rest] = args
  if (names.includes(name)) {
    return { file: path.join(root, 'dist', target, `${name}.js`), args: rest }
  }
  const known = names.length > 0 ? `; there are: ${names.join(', ')}` : ''
  console.error(`run: there is no program ${[target, name].filter(Boolean).join('/')}${known}`)
  return undefined
}

await setup()
const [target = 'examples', ...rest] = process.argv.slice(2)
const program = programOf(target, rest)
if (program === undefined) {
  process.exitCode = 1
} else {
  const args = ['--enable-source-maps', program.file, ...program.args]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  // A terminal sends its interrupt to both of us: the child decides how to end, we wait for it.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('error', (error) => {
    throw error
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 1
    if (signal !== null) console.error(`run: ${target} ended by ${signal}`)
  })
}
