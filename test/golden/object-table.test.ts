import { test } from 'node:test'
import { ObjectScript } from './object-script.js'
import { replay } from './transcript.js'

test('ObjectTable does what the transcript says', () => {
  const script = new ObjectScript()
  replay('object-table', (command) => script.run(command))
})

test('ObjectTable does what the transcript says of other nodes', () => {
  const script = new ObjectScript()
  replay('object-homes', (command) => script.run(command))
})
