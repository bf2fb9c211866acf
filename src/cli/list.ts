// typeray list, typeray get

import { SessionError } from '../base/errors.js'
import { type Filter, list as listRows, type ListOptions, type StateRows } from '../state/index.js'
import { type Format, showRow, showRows } from './show.js'

export interface AskOptions {
  readonly address?: string
  /** Seconds. */
  readonly timeout: number
  readonly format: Format
}

export async function list(
  name: string,
  options: AskOptions & {
    readonly filter?: readonly string[]
    readonly limit: number
    readonly detail?: boolean
  },
): Promise<void> {
  const { rows, total, numFiltered, warnings } = await listRows(resourceOf(name), {
    ...whereOf(options),
    filters: (options.filter ?? []).map(filterOf),
    limit: options.limit,
    detail: options.detail === true,
  })
  showRows(rows as unknown as Readonly<Record<string, unknown>>[], options.format)
  const cut = rows.length < numFiltered ? `; --limit ${numFiltered} shows all` : ''
  const what = name.replace('-', ' ')
  const notes = [`${rows.length} of ${numFiltered} ${what} (${total} in all)${cut}`, ...warnings]
  process.stderr.write(notes.map((note) => `${note}\n`).join(''))
}

const idColumns = {
  tasks: 'taskId',
  actors: 'actorId',
  objects: 'objectId',
  workers: 'workerId',
  nodes: 'nodeId',
  jobs: 'jobId',
  placementGroups: 'placementGroupId',
} as const satisfies Record<keyof StateRows, string>

export async function get(name: string, id: string, options: AskOptions): Promise<void> {
  const resource = resourceOf(name)
  const filters: Filter[] = [[idColumns[resource], '=', id]]
  const { rows } = await listRows(resource, { ...whereOf(options), filters, detail: true })
  if (rows.length === 0) {
    throw new SessionError(
      `There is no ${name.replace('-', ' ').slice(0, -1)} with the id ${id}. ` +
        `'typeray list ${name}' shows those that are known.`,
    )
  }
  for (const row of rows) {
    showRow(row as unknown as Readonly<Record<string, unknown>>, options.format)
  }
}

/** Where to ask, as the state functions want it. */
export function whereOf(options: Omit<AskOptions, 'format'>): ListOptions {
  const { address, timeout } = options
  return { timeoutMs: timeout * 1000, ...(address !== undefined && { address }) }
}

function resourceOf(name: string): keyof StateRows {
  return name === 'placement-groups' ? 'placementGroups' : (name as keyof StateRows)
}

function filterOf(text: string): Filter {
  const found = /^([^=!]+)(!?=)(.*)$/s.exec(text)
  if (found === null) {
    throw new SessionError(`The filter '${text}' is not of the form key=value or key!=value.`)
  }
  return [found[1] ?? '', found[2] === '=' ? '=' : '!=', found[3] ?? '']
}
