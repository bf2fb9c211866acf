// What a process is told when it has said hello.

import type { Welcome } from '../wire/messages/raylet.js'
import type { Raylet } from './raylet.js'

type Own = Pick<Welcome, 'claimFile' | 'claimBytes' | 'claimSlot' | 'namespace'>

export function welcomeTo(
  { options, store, storeAddress, jobs }: Raylet,
  jobId: string,
  own: Own,
): Welcome {
  const { nodeId, nodeIp, sessionName, sessionDir, resources, tls, tunnel } = options
  return {
    ...own,
    kind: 'welcome',
    nodeId,
    nodeIp,
    jobId,
    sessionName,
    sessionDir,
    rayletPid: process.pid,
    taskOomRetries: options.taskOomRetries,
    lineageBytes: options.lineageBytes,
    arenaFile: store.arenaFile,
    arenaBytes: store.arenaBytes,
    storeAddress,
    resources,
    environment: jobs.environmentOf(jobId),
    ...((options.clusterAddress !== '' || tunnel !== undefined) && { isCluster: true }),
    ...(tls !== undefined && { tls }),
    ...(tunnel !== undefined && { tunnel }),
  }
}
