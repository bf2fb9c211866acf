// Runs a program of examples/ as it was built.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const runMs = 60_000

/** Runs a program to its end, which must be a good one, and gives what it printed. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  timeoutMs = runMs,
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(timeoutMs),
    killSignal: 'SIGKILL',
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const what = `${command} ${args.join(' ')}`
  assert.equal(code, 0, `${what} ended with ${String(code)}:\n${output}${errors}`)
  return output
}

export function runExample(name: string, args: readonly string[] = []): Promise<string> {
  const file = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url))
  return runToEnd(process.execPath, ['--enable-source-maps', file, ...args])
}
