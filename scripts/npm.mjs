// Runs npm from inside an npm script as if a person had typed it: `node scripts/npm.mjs pack`.
//
// npm tells its scripts about its own command in the environment (prefix, dry run, workspace), and
// an npm below would obey. Only what describes the machine is passed on.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { isMain } from './sources.mjs'

const npmSettingsKept =
  /^npm_config_(registry|cache|userconfig|globalconfig|proxy|https_proxy|noproxy|cafile|strict_ssl)$/i

function npmEnvironment(env = process.env) {
  const kept = Object.entries(env).filter(
    ([name]) => !/^npm_/i.test(name) || npmSettingsKept.test(name),
  )
  return Object.fromEntries(kept.filter(([name]) => name !== 'INIT_CWD' && name !== 'NODE_ENV'))
}

/** Command and first arguments that run the npm which runs us, or the first one on the path. */
function npmCommand() {
  const cli = process.env.npm_execpath ?? ''
  return path.basename(cli) === 'npm-cli.js' ? [process.execPath, cli] : ['npm']
}

/** Runs npm to its end and returns the exit code. */
export function runNpm(args, options) {
  const [command, ...before] = npmCommand()
  const result = spawnSync(command, [...before, ...args], { env: npmEnvironment(), ...options })
  if (result.error !== undefined) throw result.error
  return result.status ?? 1
}

if (isMain(import.meta.url)) process.exitCode = runNpm(process.argv.slice(2), { stdio: 'inherit' })
