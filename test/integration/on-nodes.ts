// A cluster of several nodes in which this process is the program, on the head.

import * as ray from '../../src/index.js'
import type { NodeOptions } from '../../src/node/node-config.js'
import type { SessionFile } from '../../src/node/session-file.js'
import { type Nodes, type Surroundings, withNodes } from './many-nodes.js'

/** The head has no CPUs, so that all that runs, runs on the `count` nodes that have joined. */
export function onNodes(
  count: number,
  body: (nodes: Nodes, joined: readonly SessionFile[]) => Promise<void>,
  options: NodeOptions = {},
  surroundings: Surroundings = {},
): Promise<void> {
  const run = async (nodes: Nodes): Promise<void> => {
    const joined: SessionFile[] = []
    for (let n = 0; n < count; n++) joined.push(await nodes.join({ numCpus: 1, ...options }))
    await ray.init({ address: nodes.sessions[0]?.sessionDir ?? '' })
    try {
      await body(nodes, joined)
    } finally {
      await ray.shutdown()
    }
  }
  return withNodes(1, run, { ...options, numCpus: 0 }, surroundings)
}

interface OnNode {
  readonly schedulingStrategy: {
    readonly nodeId: string
    readonly soft: boolean
  }
}

/** On that node, or elsewhere when it is dead. */
export const preferring = ({ nodeId }: SessionFile): OnNode => ({
  schedulingStrategy: { nodeId, soft: true },
})

/** On that node only. */
export const on = ({ nodeId }: SessionFile): OnNode => ({
  schedulingStrategy: { nodeId, soft: false },
})
