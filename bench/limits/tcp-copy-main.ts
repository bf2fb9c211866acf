// The receiving side of the raw TCP copy: reads into shared memory, without a copy in JavaScript.
import { connect } from 'node:net'
import { createMemory, mapShared } from '../../src/store/index.js'

const [port, length] = process.argv.slice(2).map(Number) as [number, number]
const memory = createMemory('typeray-bench', length)
const whole = mapShared(process.pid, memory)
let at = 0
const socket = connect({
  host: '127.0.0.1',
  port,
  noDelay: true,
  onread: {
    buffer: () => whole.subarray(at),
    callback: (count) => {
      at += count
      if (at === length) {
        at = 0
        socket.write('.')
      }
      return true
    },
  },
})
socket.on('close', () => process.exit())
