// A Redis server for a test: from the system's package, on a port of its own, in memory only.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import os from 'node:os'

/** Why tests that need Redis are skipped; undefined where it is installed. */
export const noRedis: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed (apt-get install redis-server)'

export interface RedisServer {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

const attemptsMax = 5

/** `port`: the one of a server that was stopped; else one that is free. */
export async function startRedis(port?: number): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const chosen = port ?? (await freePort())
    const server = await start(chosen)
    if (server !== undefined) return server
    // Somebody else may have taken the port meanwhile.
    if (attempt === attemptsMax) throw new Error(`redis-server does not start on port ${chosen}`)
  }
}

async function start(port: number): Promise<RedisServer | undefined> {
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--dir',
    os.tmpdir(),
  ]
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  if (!(await saysReady(child))) return undefined
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function saysReady(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('Ready to accept connections')) resolve(true)
    })
    child.once('exit', () => resolve(false))
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a port was asked for')
  return address.port
}
