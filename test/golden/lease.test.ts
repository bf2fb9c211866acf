import { test } from 'node:test'
import { LeaseScript } from './lease-script.js'
import { replay } from './transcript.js'

test('LeaseState shares work with other nodes as the transcript says', () => {
  const script = new LeaseScript()
  replay('cluster-lease', (command) => script.run(command))
})

test('LeaseState does what the transcript says', () => {
  const script = new LeaseScript()
  replay('lease', (command) => script.run(command))
})
