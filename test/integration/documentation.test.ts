// The pages for users do what they say: their examples run in one program after the other, and
// print what their comments promise.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runDriver, withCluster } from '../../src/testing/index.js'
import { withGuide } from '../docs/guide.js'
import { missingLines, programOf } from '../docs/page-program.js'
import { checkOptions } from '../docs/ray-names.js'
import { repository } from './driver-programs.js'

for (const file of ['README.md', 'docs/coming-from-ray.md', 'docs/errors.md']) {
  test(`the examples of ${file} print what their comments say`, async () => {
    const page = await programOf(file, repository)
    const { code, stdout, stderr } = await runDriver(page.source, { timeoutMs: 120_000 })
    assert.equal(code, 0, `${stdout}${stderr}`)
    assert.deepEqual(missingLines(page, stdout), [])
  })
}

test('every example of docs/data.md runs, and every dataset on the page is computed', () =>
  withGuide(repository, async ({ page, file, env }) => {
    const { code, stdout, stderr } = await runDriver(file, { env, timeoutMs: 120_000 })
    assert.equal(code, 0, `${stdout}${stderr}`)
    assert.deepEqual(missingLines(page, stdout), [])
  }))

test('options of methods are accepted or refused as docs/ray-names.md says', () =>
  withCluster({ numCpus: 1 }, async ({ ray }) => {
    const Answers = ray.remote(
      class {
        answer(): number {
          return 42
        }
      },
    )
    const answers = Answers.remote()
    checkOptions('Options of methods', (options) => answers.answer.options(options))
    await ray.get(answers.answer.remote())
  }))
