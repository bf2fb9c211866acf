// A debugger attaches to a chosen worker, by the protocol that every debugger speaks.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { startDriver, until } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
}

/** Node 20 has no client for WebSockets. Messages here are short enough for this one. */
class Debugger {
  readonly messages: Message[] = []
  readonly #socket: Socket
  #bytes = Buffer.alloc(0)
  #count = 0

  private constructor(socket: Socket, head: Buffer) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#read(head)
  }

  static attach(url: string): Promise<Debugger> {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    }
    return new Promise((resolve, reject) => {
      const opening = request(url.replace('ws:', 'http:'), { headers })
      opening.once('upgrade', (_, socket, head) => resolve(new Debugger(socket as Socket, head)))
      opening.once('error', reject)
      opening.end()
    })
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (;;) {
      const bytes = this.#bytes
      if (bytes.length < 2) return
      const short = bytes[1]! & 127
      const head = short === 126 ? 4 : short === 127 ? 10 : 2
      if (bytes.length < head) return
      const size =
        short === 126
          ? bytes.readUInt16BE(2)
          : short === 127
            ? Number(bytes.readBigUInt64BE(2))
            : short
      if (bytes.length < head + size) return
      this.messages.push(JSON.parse(bytes.toString('utf8', head, head + size)) as Message)
      this.#bytes = bytes.subarray(head + size)
    }
  }

  async call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#count
    const text = Buffer.from(JSON.stringify({ id, method, params }))
    const head = Buffer.from([0x81, 0xfe, 0, 0, 0, 0, 0, 0])
    head.writeUInt16BE(text.length, 2)
    // A client must mask; a mask of zeros changes nothing.
    this.#socket.write(Buffer.concat([head, text]))
    const answer = await until(() => this.messages.find((message) => message.id === id))
    return answer.result ?? {}
  }

  event(method: string): Promise<Message> {
    return until(() => this.messages.find((message) => message.method === method))
  }

  close(): void {
    this.#socket.destroy()
  }
}

test('a debugger stops a chosen worker at a line, looks at it, and lets it go on', async () => {
  const driver = startDriver(`import * as ray from 'typeray'
    await ray.init({ numCpus: 1 })
    class Patient {
      steps = 0
      step(by) {
        debugger
        this.steps += by
        return this.steps
      }
    }
    const patient = ray.remote({ inspect: true }, Patient).remote()
    const other = ray.remote(() => process.getBuiltinModule('node:inspector').url() ?? 'closed')
    const alive = setInterval(() => {}, 1000)
    process.once('SIGUSR2', async () => {
      console.log('stepped to ' + (await ray.get(patient.step.remote(40))))
      await ray.shutdown()
      clearInterval(alive)
    })
    console.log('others are ' + (await ray.get(other.remote())))`)
  const address = /\(Patient pid=\d+\) Debugger listening on (ws:\S+)/
  const [, url = ''] = await until(() => address.exec(driver.stderr), { timeoutMs: 60_000 })
  assert.match(url, /^ws:\/\/127\.0\.0\.1:/)
  const attached = await Debugger.attach(url)
  await attached.call('Debugger.enable')
  await driver.said('others are')
  driver.kill('SIGUSR2')
  const paused = await attached.event('Debugger.paused')
  const [frame] = paused.params?.['callFrames'] as { callFrameId: string; functionName: string }[]
  assert.equal(frame?.functionName, 'step')
  const { callFrameId } = frame!
  const seen = await attached.call('Debugger.evaluateOnCallFrame', {
    callFrameId,
    expression: 'by += 2',
  })
  assert.equal((seen['result'] as { value: unknown }).value, 42)
  await attached.call('Debugger.resume')
  await driver.said('stepped to 42')
  attached.close()
  const { code, stdout } = await driver.ended
  assert.equal(code, 0)
  assert.match(stdout, /others are closed/)
})

test('an inspect that is no port is refused', () => {
  for (const inspect of [0, -1, 70_000, 1.5, 'yes'] as number[]) {
    assert.throws(() => ray.remote({ inspect }, () => 1), /'inspect' must be true/)
  }
})
