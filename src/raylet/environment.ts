// The environment that a worker is started in.

import type { OwnEnvironment, WorkerEnvironment } from '../wire/messages/terms.js'

/** `own` is '' or the JSON of what a task's environment has beyond that of its job. */
export function environmentFor(job: WorkerEnvironment, own: string): WorkerEnvironment {
  const more = own === '' ? {} : (JSON.parse(own) as OwnEnvironment)
  const setup = more.setup ?? job.setup
  return {
    ...job,
    execArgv: [...job.execArgv, ...(more.execArgv ?? [])],
    env: {
      ...job.env,
      ...more.env,
      // For the worker: what its own tasks inherit, and what it runs first.
      ...(own !== '' && { TYPERAY_ENVIRONMENT: own }),
      ...(setup !== undefined && { TYPERAY_SETUP: JSON.stringify(setup) }),
    },
    cwd: more.cwd ?? job.cwd,
    ...(more.folder !== undefined && { folder: more.folder }),
  }
}

/** Says what is wrong with `own`, if anything. */
export function environmentProblem(own: string): string | undefined {
  if (own === '') return undefined
  try {
    environmentFor({ execArgv: [], env: {}, cwd: '/' }, own)
    return undefined
  } catch (error) {
    return String(error)
  }
}
