// The environment that a worker is started in.

import type { WorkerEnvironment } from '../wire/messages/terms.js'

/** `own` is '' or the JSON of what a task's environment has beyond that of its job. */
export function environmentFor(job: WorkerEnvironment, own: string): WorkerEnvironment {
  if (own === '') return job
  const more = JSON.parse(own) as Partial<WorkerEnvironment>
  return {
    execArgv: [...job.execArgv, ...(more.execArgv ?? [])],
    env: { ...job.env, ...more.env },
    cwd: more.cwd ?? job.cwd,
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
