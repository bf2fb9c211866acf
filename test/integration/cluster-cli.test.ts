// The commands for nodes: start, status, drain-node, stop.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/testing/index.js'
import { runCli, withHead } from './head-cluster.js'

const node = ['--num-cpus', '1', '--object-store-memory', '64000000']

void test('nodes are started, looked at, drained and stopped by command', () =>
  withHead(['--port', '0'], async ({ cli, driver, environment, folder }) => {
    const go = path.join(folder, 'go')
    const status = async (): Promise<string> => (await cli('status')).stdout
    const program = driver(`
      import { existsSync } from 'node:fs'
      await ray.init()
      const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
      const [{ address }] = await ray.nodes()
      console.log('head at ' + address)
      const hold = ray.remote(async (file) => {
        while (!existsSync(file)) await sleep(20)
      }).options({ resources: { slot: 1 } })
      while ((await ray.nodes()).length < 2) await sleep(20)
      const put = ray.remote(() => ray.put(new Uint8Array(2_000_000)))
      const there = await ray.get(put.options({ resources: { slot: 1 } }).remote())
      const held = hold.remote(${JSON.stringify(go)})
      console.log('holds')
      await ray.get(held)
      ray.free(there)
      console.log('held')
      await sleep(1e6)
    `)
    await program.said('head at')
    const head = /head at (\S+)/.exec(program.stdout)?.[1] ?? ''
    const joined = await cli('start', '--address', head, ...node, '--resources', '{"slot":1}')
    assert.equal(joined.code, 0, joined.stderr)
    assert.match(joined.stdout, /This node has joined .*typeray stop/s)
    await program.said('holds')
    const busy = /Nodes {4}2 alive, 0 dead\n.*0 of 2 CPU in use\n.* 1 of 1 CPU in use\n.*1 leased/
    await until(async () => busy.test(await status()))
    assert.match(await status(), /\n {2}1 stored, .* in use\n/, 'the object of the other node')
    assert.match((await cli('list', 'objects')).stdout, / 2000\d\d\d /)
    // A token that is named counts, although the head's is known on this machine.
    const stranger = { ...environment, TYPERAY_TOKEN: 'a-token-of-another-cluster' }
    const refusal = await runCli(['start', '--address', head, ...node], stranger)
    assert.equal(refusal.code, 1, refusal.stdout)
    assert.match(refusal.stderr, /token/)
    const rows = JSON.parse((await cli('list', 'nodes', '--format', 'json')).stdout) as {
      nodeId: string
      isHeadNode: boolean
    }[]
    const other = rows.find((row) => !row.isHeadNode)?.nodeId ?? ''
    const refused = await cli('drain-node', rows.find((row) => row.isHeadNode)?.nodeId ?? '')
    assert.match(refused.stderr, /is the head: it ends with the cluster/)
    assert.match((await cli('drain-node', 'nobody')).stderr, /No living node has an id that begins/)
    const drained = await cli('drain-node', other.slice(0, 12), '--reason', 'a test')
    assert.equal(drained.code, 0, drained.stderr)
    // What runs there is not disturbed.
    writeFileSync(go, '')
    await program.said('held')
    await until(async () => /1 alive, 1 dead/.test(await status()))
    program.kill('SIGKILL')
    await program.ended
  }))
