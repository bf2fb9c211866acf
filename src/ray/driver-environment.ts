// What workers inherit from the driver.

import type { WorkerEnvironment } from '../worker/index.js'

/**
 * Node options that matter to the code that a worker runs. Never those that make a process a
 * debugger's or a test's.
 */
const inherited = [
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
  '--max-old-space-size',
  '--max-semi-space-size',
  '--stack-size',
  '--enable-source-maps',
  '--no-warnings',
  '--expose-gc',
  '--experimental-strip-types',
  '--experimental-transform-types',
  '--experimental-default-type',
  '--preserve-symlinks',
  '--tls-cipher-list',
  '--icu-data-dir',
]
const takesValue = new Set([
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
])

function inheritedOptions(execArgv: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < execArgv.length; i++) {
    const option = execArgv[i]!
    const name = option.split('=')[0]!
    const hasValue = takesValue.has(name) && !option.includes('=')
    if (inherited.includes(name)) {
      kept.push(option)
      if (hasValue && i + 1 < execArgv.length) kept.push(execArgv[i + 1]!)
    }
    if (hasValue) i++
  }
  if (!kept.includes('--enable-source-maps')) kept.push('--enable-source-maps')
  return kept
}

export function driverEnvironment(): WorkerEnvironment {
  return { execArgv: inheritedOptions(process.execArgv), env: {}, cwd: process.cwd() }
}
