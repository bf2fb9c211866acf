import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)

// The parent makes memory; its child, in a tight loop, has it mapped and waits for nobody.
const childScript = `
  import { setParentDeathSignal } from ${module('./parent-death.js')}
  import { openMemory, mapRange } from ${module('./shared-memory.js')}
  const [pid, fd] = process.argv.slice(-2).map(Number)
  setParentDeathSignal('SIGKILL', process.ppid)
  const mapping = mapRange({ fd: openMemory(pid, fd), offset: 0, sizeBytes: 4096 })
  process.stdout.write(process.pid + '\\n')
  process.stdout._handle?.setBlocking?.(true)
  for (;;) if (mapping.bytes[0] === 2) break
`
const parentScript = `
  import { spawn } from 'node:child_process'
  import { createMemory } from ${module('./shared-memory.js')}
  const { fd } = createMemory('typeray-test', 4096)
  const script = ${JSON.stringify(childScript)}
  const args = ['--input-type=module', '-e', script, '--', process.pid, fd].map(String)
  spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
`

test('SIGKILL of a parent ends a child in a tight loop, and the memory with them', async () => {
  const args = ['--input-type=module', '-e', parentScript]
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface(parent.stdout)
  const [line] = (await once(lines, 'line')) as [string]
  const childPid = Number(line)
  assert.ok(existsSync(`/proc/${childPid}`))
  // The pipe ends when its last holder, the child, is gone.
  const closed = once(parent, 'close')
  parent.kill('SIGKILL')
  await closed
  assert.equal(parent.signalCode, 'SIGKILL')
})

test('a parent that died before the call is noticed', async () => {
  const script = `
    import { setParentDeathSignal } from ${module('./parent-death.js')}
    setParentDeathSignal('SIGTERM', 1 + process.ppid)
    setInterval(() => {}, 1000)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  assert.equal(signal, 'SIGTERM')
})
