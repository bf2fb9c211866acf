// The pages for users do what they say: their examples run in one program after the other, and
// print what their comments promise.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { FilesystemOptions } from '../../src/data/index.js'
import { runDriver, withCluster } from '../../src/testing/index.js'
import { startS3 } from '../contract/s3-server.js'
import { writeGuideFiles } from '../docs/guide-files.js'
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

test('every example of docs/data.md runs, and every dataset on the page is computed', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'typeray-guide-'))
  const server = await startS3(path.join(folder, 'objects'))
  try {
    await writeGuideFiles(folder, server.filesystem)
    const page = await programOf('docs/data.md', repository)
    // A reader's session starts in the folder of the program.
    const source = page.source.replace(/^const __run/m, `process.chdir('${folder}')\n$&`)
    const env = s3Environment(server.filesystem)
    const { code, stdout, stderr } = await runDriver(source, { env, timeoutMs: 120_000 })
    assert.equal(code, 0, `${stdout}${stderr}`)
    assert.deepEqual(missingLines(page, stdout), [])
  } finally {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

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

/** How a program finds the server of a test without an option. */
function s3Environment(filesystem: FilesystemOptions): Record<string, string> {
  const { endpoint = '', region = '', accessKeyId = '', secretAccessKey = '' } = filesystem
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  }
}
