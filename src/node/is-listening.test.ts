import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { it } from 'node:test'
import { isListening } from './is-listening.js'

void it('tells a port at which somebody listens from one that is closed', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
  assert.equal(await isListening(`127.0.0.1:${port}`), true)
  await new Promise((resolve) => server.close(resolve))
  assert.equal(await isListening(`127.0.0.1:${port}`), false)
  assert.equal(await isListening(''), false)
})
