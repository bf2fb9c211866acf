// Rows about actors: one caller or many, one actor or many, synchronous methods or asynchronous
// ones. As in Ray's microbenchmark, the "n" of a row is half the cores, and clients hold no CPU.
import { availableParallelism } from 'node:os'
import * as ray from 'typeray'
import type { OpenProbe, ProbeTable } from '../probe.js'
import { batch, inSession, rate } from './session.js'
import { AsyncServer, callInTurn, Client, Server, type ServerHandle } from './work.js'

const serverCount = Math.max(1, Math.floor(availableParallelism() / 2))
const callerCount = 4
const createdCount = 20

const RemoteServer = ray.remote(Server).options({ numCpus: 0 })
const RemoteAsyncServer = ray.remote(AsyncServer)
const RemoteClient = ray.remote(Client).options({ numCpus: 0 })

type StartServer = () => ServerHandle
const startServer: StartServer = () => RemoteServer.remote()
const startAsyncServer: StartServer = () => RemoteAsyncServer.remote()

const startServers = (start: StartServer): ServerHandle[] =>
  Array.from({ length: serverCount }, start)

const callsSync = (start: StartServer): OpenProbe =>
  rate(1, async () => {
    const server = start()
    return () => ray.get(server.smallValue.remote())
  })

const callsAsync = (start: StartServer): OpenProbe =>
  rate(1000, async () => {
    const server = start()
    return batch(1000, () => server.smallValue.remote())
  })

const callsWithInt = rate(1000, async () => {
  const server = startAsyncServer()
  return batch(1000, (i) => server.smallValueArg.remote(i))
})

const oneToMany = (start: StartServer): OpenProbe =>
  rate(5000 * serverCount, async () => {
    const client = RemoteClient.remote(startServers(start))
    return () => ray.get(client.callEach.remote(5000))
  })

const manyToMany = (start: StartServer): OpenProbe =>
  rate(5000 * callerCount, async () => {
    const servers = startServers(start)
    const task = ray.remote(callInTurn)
    return batch(callerCount, () => task.remote(servers, 5000))
  })

const manyToManyWithRef = rate(1000 * serverCount, async () => {
  const clients = startServers(startServer).map((server) => RemoteClient.remote([server]))
  return () => ray.get(clients.map((client) => client.callEachWithRef.remote(1000)))
})

const createAndCall = inSession(async () => ({
  kind: 'sample',
  async sample() {
    const startedMs = performance.now()
    const servers = Array.from({ length: createdCount }, startServer)
    await ray.get(servers.map((server) => server.smallValue.remote()))
    const elapsedMs = performance.now() - startedMs
    for (const server of servers) ray.kill(server)
    return (createdCount * 1000) / elapsedMs
  },
}))

export const actorProbes: ProbeTable = {
  '1:1 actor calls sync': callsSync(startServer),
  '1:1 actor calls async': callsAsync(startServer),
  '1:1 actor calls concurrent': callsAsync(() =>
    RemoteServer.options({ numCpus: 0, maxConcurrency: 16 }).remote(),
  ),
  '1:n actor calls async': oneToMany(startServer),
  'n:n actor calls async': manyToMany(startServer),
  'n:n actor calls with arg async': manyToManyWithRef,
  '1:1 async-actor calls sync': callsSync(startAsyncServer),
  '1:1 async-actor calls async': callsAsync(startAsyncServer),
  '1:1 async-actor calls with args async': callsWithInt,
  '1:n async-actor calls async': oneToMany(startAsyncServer),
  'n:n async-actor calls async': manyToMany(startAsyncServer),
  'actors created and called': createAndCall,
}
