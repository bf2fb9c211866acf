import { test } from 'node:test'
import { PullScript } from './pull-script.js'
import { replay } from './transcript.js'

test('PullState does what the transcript says', () => {
  const script = new PullScript()
  replay('pull', (command) => script.run(command))
})
