// Answers questions about the cluster from the tables of the GCS.

import { assertNever } from '../base/assert.js'
import { selectRows } from '../wire/state-selection.js'
import type { StateAnswer, StateQuery } from '../wire/messages/state.js'
import { withPid } from './actor-rows.js'
import type { ActorTable } from './actor-table.js'
import type { NodeTable } from './node-table.js'
import type { PlacementGroupTable } from './placement-group-table.js'
import type { ProcessTable } from './process-table.js'
import type { TaskTable } from './task-table.js'

export interface Tables {
  readonly nodes: NodeTable
  readonly groups: PlacementGroupTable
  readonly actors: ActorTable
  readonly processes: ProcessTable
  readonly tasks: TaskTable
}

export function answerState(query: StateQuery, tables: Tables): StateAnswer {
  const pidOf = (process: number): number | undefined => tables.processes.pidOf(process)
  switch (query.resource) {
    case 'nodes':
      return selectRows(tables.nodes.stateRows(), query)
    case 'workers':
      return selectRows(tables.processes.workers(), query)
    case 'jobs':
      return selectRows(tables.processes.jobs(), query)
    case 'actors': {
      const rows = tables.actors.stateRows().map((row) => withPid(row, pidOf))
      return selectRows(rows, query)
    }
    case 'placementGroups':
      return selectRows(tables.groups.stateRows(), query)
    case 'tasks':
      return taskAnswer(query, tables)
    case 'objects':
      // Each raylet knows those of its node, and has answered before the question came here.
      return selectRows([], query)
    default:
      return assertNever(query.resource)
  }
}

function taskAnswer(query: StateQuery, { tasks, processes }: Tables): StateAnswer {
  const rows = tasks.rows(query.live ?? [], (process) => processes.pidOf(process))
  const answer = selectRows(rows, query)
  const warnings = [...answer.warnings]
  if (tasks.dropped > 0) {
    warnings.push(`${tasks.dropped} tasks that have ended are not listed: only the last are kept.`)
  }
  if (tasks.isRestarted) {
    warnings.push('Tasks that had ended before the GCS was started again are not listed.')
  }
  return { ...answer, warnings }
}
