// typeray drain-node

import { SessionError } from '../base/errors.js'
import { ask } from './ask.js'

interface DrainOptions {
  readonly address?: string
  readonly reason: string
  readonly deadline: number
}

/** Nodes are known by the beginning of their id, as long as it is that of one only. */
export async function drainNode(id: string, options: DrainOptions): Promise<void> {
  const { address, reason, deadline } = options
  const how = address === undefined ? {} : { address }
  const said = await ask(how, async (observer) => {
    const nodes = (await observer.query({ what: 'nodes' })) as { nodeId: string; alive: boolean }[]
    const [node, ...more] = nodes.filter((each) => each.alive && each.nodeId.startsWith(id))
    if (node === undefined)
      throw new SessionError(`No living node has an id that begins with ${id}.`)
    if (more.length > 0) throw new SessionError(`Several nodes have ids that begin with ${id}.`)
    const deadlineMs = deadline * 1000
    return observer.query({ what: 'drainNode', nodeId: node.nodeId, reason, deadlineMs })
  })
  if (typeof said === 'string' && said !== '') throw new SessionError(said)
  process.stdout.write(
    `Node ${id} takes nothing new, gives its objects to others, and ends when nothing ` +
      `runs there, or in ${deadline} s.\n`,
  )
}
