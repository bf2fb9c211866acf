// A worker that understands one-word tasks, for tests of the raylet without the real worker.

import { RayletPeer } from './raylet-peer.js'

let open: { lease: number; owner: number } | undefined
let isBusy = false

const peer = new RayletPeer((process.env['TYPERAY_RAYLET'] ?? '').replace('@', '\0'), (message) => {
  switch (message.kind) {
    case 'leaseOpened':
      open = message
      if (message.frames !== undefined) run(Buffer.from(message.frames).toString())
      break
    case 'recallLease':
      if (!isBusy && open?.lease === message.lease) {
        open = undefined
        peer.send({ kind: 'leaseClosed', lease: message.lease })
      }
      break
    case 'startActor':
      peer.send({ kind: 'actorStarted', actor: message.spec.actor })
      break
    case 'exit':
      process.exit(0)
      break
    default:
      break
  }
})
peer.send({
  kind: 'hello',
  token: process.env['TYPERAY_TOKEN'] ?? '',
  role: 'worker',
  process: peer.process,
  pid: process.pid,
  address: `\0fake-${process.pid}`,
  start: process.env['TYPERAY_START'] ?? '',
})
void peer.closed.then(() => process.exit(0))

function run(task: string): void {
  isBusy = true
  if (task === 'spin') for (;;);
  if (task === 'hang') return
  if (task === 'crash') {
    console.error('about to crash')
    process.exit(7)
  }
  if (task === 'heap') {
    const hoard: string[][] = []
    for (;;) hoard.push(new Array<string>(1e6).fill(String(hoard.length)))
  }
  if (task === 'flood') for (let i = 0; i < 50_000; i++) console.log(String(i).padStart(1000))
  console.log(`ran ${task}`)
  isBusy = false
  if (open === undefined) return
  const frames = Buffer.from(`${task} done`)
  peer.send({ kind: 'relay', lease: open.lease, owner: open.owner, frames, done: true })
}
