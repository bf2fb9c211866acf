// typeray logs: the files in the folder of the session. They are there after its end too, so what
// names a file by itself works without anybody to ask.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { SessionError } from '../base/errors.js'
import { sessionToObserve } from '../node/session-address.js'
import { getActor, getTask, type GetOptions } from '../state/index.js'
import { tableOf } from './show.js'

export interface LogsOptions {
  readonly address?: string
  readonly worker?: string
  readonly actor?: string
  readonly task?: string
  readonly err?: boolean
  readonly tail?: number
}

export async function logs(glob: string | undefined, options: LogsOptions): Promise<void> {
  const { sessionDir } = sessionToObserve(options.address)
  const folder = path.join(sessionDir, 'logs')
  const wanted = await patternOf(glob, options)
  const names = readdirSync(folder)
    .filter((name) => wanted?.test(name) !== false)
    .filter((name) => options.err !== true || name.endsWith('.err'))
    .sort()
  if (wanted === undefined) {
    const rows = names.map((name) => ({
      file: name,
      bytes: statSync(path.join(folder, name)).size,
    }))
    process.stdout.write(`${folder}\n${tableOf(rows)}`)
    return
  }
  if (names.length === 0) {
    throw new SessionError(`No log file of that in ${folder}; 'typeray logs' lists what there is.`)
  }
  for (const name of names) {
    const text = lastLines(readFileSync(path.join(folder, name), 'utf8'), options.tail)
    const head = names.length > 1 ? `==> ${name} <==\n` : ''
    process.stdout.write(head + text)
  }
}

function lastLines(text: string, count: number | undefined): string {
  if (count === undefined) return text
  const lines = text.replace(/\n$/, '').split('\n')
  return `${lines.slice(Math.max(0, lines.length - count)).join('\n')}\n`
}

/** Undefined: nothing is asked for, so that all files are listed. */
async function patternOf(
  glob: string | undefined,
  { address, worker, actor, task }: LogsOptions,
): Promise<RegExp | undefined> {
  if (glob !== undefined) {
    const text = glob.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    return new RegExp(`^${text.replaceAll('*', '.*').replaceAll('?', '.')}$`)
  }
  const where: GetOptions = address === undefined ? {} : { address }
  if (worker !== undefined) return new RegExp(`^worker-${worker}-`)
  if (actor !== undefined) {
    const found = await getActor(actor, where)
    if (found === undefined) throw new SessionError(`There is no actor with the id ${actor}.`)
    return ofPid(found.pid)
  }
  if (task === undefined) return undefined
  const attempts = await getTask(task, where)
  if (attempts.length === 0) throw new SessionError(`There is no task with the id ${task}.`)
  return ofPid(attempts.at(-1)?.workerPid ?? null)
}

function ofPid(pid: number | null): RegExp {
  if (pid === null) throw new SessionError('It has no worker yet, and so no logs.')
  return new RegExp(`^worker-.*-${pid}\\.`)
}
