// typeray start

import { SessionError } from '../base/errors.js'
import { startHead, stopSession } from '../node/start-head.js'
import { currentSessionDir, isAlive, readSession } from '../node/session-file.js'
import { sessionsFolder } from '../node/session-folder.js'

export interface StartOptions {
  readonly head?: boolean
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
  if (options.head !== true) {
    throw new SessionError(
      `'typeray start' needs --head: joining the head of another machine is not built yet.`,
    )
  }
  refuseSecond(options.tempDir)
  const { head: _head, block, resources, labels, ...node } = options
  const { session, ended } = await startHead({
    ...node,
    ...(resources !== undefined && { resources: record(resources, 'resources', isAmount) }),
    ...(labels !== undefined && { labels: record(labels, 'labels', isText) }),
    endsWith: block === true ? 'parent' : 'stop',
  })
  const isUsual = session.sessionDir.startsWith(sessionsFolder())
  const join = isUsual ? '' : `{ address: '${session.sessionDir}' }`
  process.stdout.write(
    `Typeray runs: process ${session.pid}, session ${session.sessionName}\n` +
      `\n  address  ${session.sessionDir}\n` +
      `\nIn a program:      await ray.init(${join})\n` +
      `Another terminal:  ${isUsual ? '' : `export TYPERAY_ADDRESS=${session.sessionDir} ; `}` +
      `typeray status\n` +
      (block === true ? `To end it:         Ctrl-C here\n` : `To end it:         typeray stop\n`),
  )
  if (block !== true) process.exit(0)
  const stop = (): void => void stopSession(session).then(() => process.exit(130))
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  await ended
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
