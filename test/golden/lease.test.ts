import { test } from 'node:test'
import { LeaseScript } from './lease-script.js'
import { replay } from './transcript.js'

test('LeaseState does what the transcript says', () => {
  const script = new LeaseScript()
  replay('lease', (command) => script.run(command))
})
