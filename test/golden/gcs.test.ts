import test from 'node:test'
import { GcsScript } from './gcs-script.js'
import { replay } from './transcript.js'

for (const name of ['actor', 'placement-group', 'room', 'gcs-restart']) {
  test(`the ${name} transcript is as it was`, () => {
    const script = new GcsScript()
    replay(name, (command) => script.run(command))
  })
}
