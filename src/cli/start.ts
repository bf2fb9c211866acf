// typeray start

import { SessionError } from '../base/errors.js'
import { headCluster, joiningCluster } from '../node/cluster-options.js'
import type { ClusterConfig, NodeOptions } from '../node/node-config.js'
import { sessionsOf } from '../node/session-address.js'
import { startHead, stopSession } from '../node/start-head.js'
import { currentSessionDir, isAlive, readSession, type SessionFile } from '../node/session-file.js'
import { sessionsFolder } from '../node/session-folder.js'

export interface StartOptions {
  readonly head?: boolean
  readonly address?: string
  readonly nodeIpAddress?: string
  readonly port?: number
  readonly tokenFile?: string
  readonly storage?: string
  readonly numCpus?: number
  readonly numGpus?: number
  readonly memory?: number
  readonly objectStoreMemory?: number
  readonly resources?: unknown
  readonly labels?: unknown
  readonly spillFolder?: string
  readonly tempDir?: string
  readonly block?: boolean
}

export async function start(options: StartOptions): Promise<void> {
  const cluster = await clusterOf(options)
  if (cluster.head === undefined) refuseSecond(options.tempDir)
  const { block, resources, labels } = options
  const { session, ended } = await startHead({
    ...pick(options),
    ...(resources !== undefined && { resources: record(resources, 'resources', isAmount) }),
    ...(labels !== undefined && { labels: record(labels, 'labels', isText) }),
    cluster,
    endsWith: block === true ? 'parent' : 'stop',
  })
  process.stdout.write(describe(session, block === true))
  if (block !== true) process.exit(0)
  const stop = (): void => void stopSession(session).then(() => process.exit(130))
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  await ended
}

async function clusterOf(options: StartOptions): Promise<ClusterConfig> {
  const { head, address, tempDir } = options
  if ((head === true) === (address !== undefined)) {
    throw new SessionError(
      "'typeray start' needs --head, for the first node of a cluster, or --address host:port, to " +
        'join one; and not both.',
    )
  }
  if (address === undefined) return headCluster(options)
  return joiningCluster({ ...options, address }, sessionsOf(tempDir))
}

function pick(options: StartOptions): NodeOptions {
  const { numCpus, numGpus, memory, objectStoreMemory, spillFolder, tempDir } = options
  return {
    ...(numCpus !== undefined && { numCpus }),
    ...(numGpus !== undefined && { numGpus }),
    ...(memory !== undefined && { memory }),
    ...(objectStoreMemory !== undefined && { objectStoreMemory }),
    ...(spillFolder !== undefined && { spillFolder }),
    ...(tempDir !== undefined && { tempDir }),
  }
}

/** What has started, and what to type next. */
function describe(session: SessionFile, isBlocking: boolean): string {
  const { pid, sessionName, sessionDir, clusterAddress, headAddress } = session
  const isUsual = sessionDir.startsWith(sessionsFolder())
  const join = isUsual ? '' : `{ address: '${sessionDir}' }`
  const other = isUsual ? '' : `export TYPERAY_ADDRESS=${sessionDir} ; `
  const end = isBlocking ? 'Ctrl-C here' : 'typeray stop'
  const isHead = clusterAddress === headAddress
  const what = isHead ? 'Typeray runs' : `This node has joined ${headAddress}`
  const isReachable = !headAddress.startsWith('127.')
  const more = isReachable
    ? 'another machine, with the same token'
    : 'on this machine; --node-ip-address lets others in'
  return [
    `${what}: process ${pid}, session ${sessionName}`,
    '',
    `  address  ${headAddress}`,
    `  folder   ${sessionDir}`,
    '',
    `In a program:      await ray.init(${join})`,
    `Another terminal:  ${other}typeray status`,
    `Another node:      typeray start --address ${headAddress}   (${more})`,
    `To end it:         ${end}`,
    '',
  ].join('\n')
}

/** Programs would not know which of two they join. */
function refuseSecond(tempDir: string | undefined): void {
  const folder = currentSessionDir(sessionsFolder(tempDir))
  const session = folder === undefined ? undefined : readSession(folder)
  if (session === undefined || !isAlive(session)) return
  throw new SessionError(
    `A cluster runs already: process ${session.pid}, address ${session.sessionDir}. ` +
      `End it with 'typeray stop', or choose another --temp-dir.`,
  )
}

const isAmount = (value: unknown): value is number => typeof value === 'number'
const isText = (value: unknown): value is string => typeof value === 'string'

function record<T>(
  value: unknown,
  name: string,
  isItem: (item: unknown) => item is T,
): Record<string, T> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value)
    if (entries.every((entry): entry is [string, T] => isItem(entry[1]))) {
      return Object.fromEntries(entries)
    }
  }
  throw new SessionError(`--${name} must be a JSON object, not ${JSON.stringify(value)}.`)
}
