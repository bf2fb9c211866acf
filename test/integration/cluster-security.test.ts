// Who may join a cluster, and through which door.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { SessionFile } from '../../src/node/session-file.js'
import { until } from '../../src/testing/index.js'
import { certificate } from './certificates.js'
import { runCli, withFolder } from './head-cluster.js'
import { withNodes } from './many-nodes.js'

const log = ({ sessionDir }: SessionFile): string =>
  readFileSync(path.join(sessionDir, 'logs', 'raylet.log'), 'utf8')

const countNodes = `
  await ray.init()
  console.log((await ray.nodes()).filter((node) => node.alive).length)
`

void test('a node with another token is refused, which is logged, and nothing has changed', () =>
  withNodes(1, async ({ sessions, run }) => {
    const head = sessions[0] ?? assert.fail()
    const folder = mkdtempSync(path.join(os.tmpdir(), 'stranger-'))
    const args = ['start', '--address', head.clusterAddress, '--object-store-memory', '64000000']
    const environment = { TYPERAY_TMPDIR: folder, TYPERAY_TOKEN: 'not the token of the cluster' }
    const wrong = await runCli(args, { ...environment, TYPERAY_TOKEN: 'not-the-token-of-it' })
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /refuses this node: The token is not that of the cluster/)
    const spaces = await runCli(args, environment)
    assert.match(spaces.stderr, /it must have 16 at least, and no spaces/)
    rmSync(folder, { recursive: true })
    await until(() => log(head).includes('refused 127.0.0.1'))
    assert.equal(await run(countNodes), '1\n')
  }))

void test('bytes of a stranger, and a first frame that is too large, are cut off and logged', () =>
  withNodes(1, async ({ sessions, run }) => {
    const head = sessions[0] ?? assert.fail()
    const [host, port] = head.clusterAddress.split(':')
    const say = (bytes: Uint8Array | string): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), host, () => socket.write(bytes))
        socket.on('error', () => undefined)
        socket.on('close', () => resolve())
        socket.resume()
      })
    await say('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await say(Buffer.from([255, 255, 255, 255, 1]))
    await say(Buffer.from([3, 0, 0, 0, 1, 0x81, 0xa4]))
    const refusals = (): number => log(head).split('refused 127.0.0.1').length - 1
    await until(() => refusals() === 3)
    assert.equal(await run(countNodes), '1\n')
  }))

void test('a cluster that other machines can reach needs a token that its user has made', () =>
  withFolder(async ({ cli, environment, folder }) => {
    const home = { ...environment, HOME: folder, TYPERAY_TOKEN: '', TYPERAY_TOKEN_FILE: '' }
    const args = ['start', '--head', '--node-ip-address', '192.0.2.1']
    const refused = await runCli(args, home)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /192\.0\.2\.1.*needs a token\. Make one with 'typeray token gen/)
    const made = await runCli(['token', 'generate'], home)
    assert.equal(made.code, 0, made.stderr)
    const file = path.join(folder, '.typeray', 'token')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const shown = await runCli(['token', 'show'], home)
    assert.match(shown.stdout, /^[0-9a-f]{64}\n$/)
    const twice = await runCli(['token', 'generate'], home)
    assert.match(twice.stderr, /has a token already/)
    const unreachable = await runCli(args, home)
    assert.match(unreachable.stderr, /cannot listen on 192\.0\.2\.1/)
    writeFileSync(path.join(folder, 'open'), 'a-token-that-all-can-read', { mode: 0o644 })
    const open = await cli('token', 'show', '--file', path.join(folder, 'open'))
    assert.match(open.stderr, /Others can read the token file .*chmod 600/)
  }))

void test('a program on a machine without a node joins through the port of the head', () =>
  withNodes(2, async ({ sessions, token, driver }) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'client-'))
    const env = {
      TYPERAY_TMPDIR: folder,
      TYPERAY_TOKEN: token,
      TYPERAY_ADDRESS: sessions[0]?.clusterAddress ?? '',
    }
    const end = await driver(
      `
      await ray.init()
      console.log((await ray.nodes()).filter((node) => node.alive).length)
      console.log((await ray.clusterResources()).CPU)
    `,
      { env },
    ).ended
    assert.equal(end.stdout, '3\n2\n', end.stderr)
    rmSync(folder, { recursive: true })
  }))

void test('nodes with certificates of one authority talk in secret, and no others', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tls-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const ours = certificate(folder, 'ours')
  const theirs = certificate(folder, 'theirs')
  return withNodes(
    1,
    async ({ sessions, token, join, run }) => {
      await join()
      assert.equal(await run(countNodes), '2\n')
      const head = sessions[0] ?? assert.fail()
      const args = ['start', '--address', head.clusterAddress]
      const env = {
        TYPERAY_TMPDIR: folder,
        TYPERAY_TOKEN: token,
        TYPERAY_TLS_CERT: theirs.cert,
        TYPERAY_TLS_KEY: theirs.key,
      }
      const refused = await runCli(args, env)
      assert.match(refused.stderr, /TLS needs all three/)
      const stranger = await runCli(args, { ...env, TYPERAY_TLS_CA: theirs.ca })
      assert.equal(stranger.code, 1)
      await until(() => log(head).includes('no certificate of the cluster'))
      assert.equal(await run(countNodes), '2\n')
    },
    {},
    { tls: ours },
  )
})
