// The option `inspect`: a worker that a debugger can attach to.
//
// It is part of the environment of the worker, so that only tasks and actors that ask for it get
// such a worker. The inspector is opened when the worker gets its first work and not by a Node
// option: its address is then printed under the name of that work, and a port that is taken does
// not end the process. It listens on the loopback interface only.

const inspectVariable = 'TYPERAY_INSPECT'
const portMax = 65_535

/** What the environment of a worker has beyond that of its job: JSON, or '' for nothing. */
export function inspectEnvironment(inspect: unknown): string {
  if (inspect === undefined || inspect === false) return ''
  const isPort =
    typeof inspect === 'number' && Number.isInteger(inspect) && inspect > 0 && inspect <= portMax
  if (inspect !== true && !isPort) {
    throw new TypeError(
      `The option 'inspect' must be true, false or a port from 1 to ${portMax}, not ` +
        `${String(inspect)}.`,
    )
  }
  return JSON.stringify({ env: { [inspectVariable]: inspect === true ? '0' : String(inspect) } })
}

interface HasVariables {
  readonly env?: Readonly<Record<string, string>>
}

/** An environment with that of `inspect`, which the tasks of such a worker do not inherit. */
export function withInspect(environment: string, inspect: string): string {
  if (inspect === '' && !environment.includes(inspectVariable)) return environment
  const own = (environment === '' ? {} : JSON.parse(environment)) as HasVariables
  const more = (inspect === '' ? {} : JSON.parse(inspect)) as HasVariables
  const { [inspectVariable]: _, ...env } = own.env ?? {}
  const whole = { ...own, env: { ...env, ...more.env } }
  const isEmpty = Object.keys(whole).length === 1 && Object.keys(whole.env).length === 0
  return isEmpty ? '' : JSON.stringify(whole)
}

/** Opens the inspector if this worker was started for that. Node prints where it listens. */
export function openInspector(): void {
  const port = process.env[inspectVariable]
  if (port === undefined) return
  // Once, and not for the processes that tasks start.
  delete process.env[inspectVariable]
  const inspector = process.getBuiltinModule('node:inspector')
  try {
    inspector.open(Number(port), '127.0.0.1')
  } catch (error) {
    process.stderr.write(`typeray: the inspector cannot be opened: ${String(error)}\n`)
  }
  if (inspector.url() === undefined) inspector.open(0, '127.0.0.1')
}
