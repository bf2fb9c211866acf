// Entry of the process of the GCS, which the node process of a head starts, and starts again.
//
// It listens on an abstract socket only. The head's raylet comes there itself, and the gateway of
// the head passes on whoever comes through its port. It ends with the process that holds its stdin:
// a GCS without its head would serve nobody.

import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { systemClock } from '../base/clock.js'
import { newId } from '../base/ids.js'
import { GcsHub } from '../gcs/gcs-hub.js'
import { GcsServer } from '../gcs/gcs-server.js'
import type { GcsStorage, StorageChange } from '../gcs/storage/gcs-storage.js'
import { openStorage } from '../gcs/storage/open-storage.js'
import { StorageTakenError } from '../gcs/storage/storage-taken-error.js'
import { checkIdentity } from '../gcs/stored-identity.js'
import { loadTables } from '../gcs/stored-tables.js'
import { refuseHello } from '../wire/link/accepted-links.js'
import { firstFrame } from '../wire/link/first-frame.js'
import { helloProblem, readLinkHello } from '../wire/link/link-hello.js'
import { type GcsConfig, takenExitCode } from './gcs-config.js'
import { healthLimitMs } from './health-limit.js'
import { turns } from './turns.js'

async function main(): Promise<void> {
  const config = JSON.parse(process.env['TYPERAY_GCS'] ?? '') as GcsConfig
  delete process.env['TYPERAY_GCS']
  answerParent()
  const storage = await openStorage(config.storage)
  endWhenAsked(storage)
  const tokenHash = createHash('sha256').update(config.token).digest('hex')
  await checkIdentity(storage, { clusterId: newId(), tokenHash })
  const hub = await serve(storage, config)
  const server = createServer((socket) => void admit(socket, { hub, token: config.token }))
  server.listen(config.address.replace('@', '\0'), () => process.stdout.write('ready\n'))
}

async function serve(storage: GcsStorage, config: GcsConfig): Promise<GcsHub> {
  const inTurn = turns()
  const gcs: GcsServer = new GcsServer(systemClock, (to, message) => hub.send(to, message), {
    nodeDeadlineMs: healthLimitMs(process.env),
    sessionName: config.sessionName,
    validate: config.validate,
    canGrow: true,
    stored: await loadTables(storage),
    persist: (changes: readonly StorageChange[], done: () => void) => {
      storage.write(changes).then(done, fail)
    },
    readBytes: ({ table, key }, then) => {
      storage.read(table, key).then((bytes) => {
        if (bytes !== undefined) then(bytes)
      }, fail)
    },
  })
  const hub = new GcsHub({
    clock: systemClock,
    receive: (message, handled) => inTurn(() => gcs.receive(message, handled)),
    nodeLost: (lost) => inTurn(() => gcs.nodeLost(lost)),
    node: (nodeId) => gcs.aliveNode(nodeId),
  })
  return hub
}

/** The gateway has looked at what comes from other machines; here anybody of this one may knock. */
async function admit(
  socket: Socket,
  { hub, token }: { readonly hub: GcsHub; readonly token: string },
): Promise<void> {
  const first = await firstFrame(socket, systemClock)
  const hello = first && readLinkHello(first.payload)
  if (first === undefined || hello?.role !== 'gcs') {
    socket.destroy()
    return
  }
  const problem = helloProblem(hello, token)
  if (problem !== undefined) refuseHello(socket, problem)
  else hub.accept(socket, { hello, rest: first.rest })
}

/** It asks whether this process has hung, and its end is the end of this one. */
function answerParent(): void {
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  process.stdin.on('error', () => {})
  // Not by exit: that waits for the threads, and one of LMDB that writes waits for this one. What
  // is stored is whole whenever the process ends.
  process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL'))
  process.stdin.on('data', () => process.stdout.write('here\n'))
}

function endWhenAsked(storage: GcsStorage): void {
  const end = (): void => {
    const exit = (): never => process.exit(0)
    storage.close().then(exit, exit)
  }
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  process.on('SIGTERM', end)
}

/** What cannot be stored must not be said: the next GCS begins with what is stored. */
function fail(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`typeray: the GCS ends: ${text}\n`)
  process.exit(error instanceof StorageTakenError ? takenExitCode : 1)
}

main().catch(fail)
