// The pages for users do what they say: their examples run in one program after the other, and
// print what their comments promise.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { transform } from 'esbuild'
import { runDriver, withCluster } from '../../src/testing/index.js'
import { modulesOfPage } from '../docs/compile.js'
import { checkOptions } from '../docs/ray-names.js'
import { repository } from './driver-programs.js'

const importLine = /^import [^;]*?;\n?/gm
const promised = /^.*\bconsole\.log\(.*\) \/\/ (?<line>.+)$/gm
const mark = '----- '

interface Page {
  readonly source: string
  /** What each block prints, in order, by where the block stands. */
  readonly output: ReadonlyMap<string, readonly string[]>
}

/** All blocks of a page as one program: each a function, run in order. */
async function programOf(file: string): Promise<Page> {
  const markdown = readFileSync(path.join(repository, file), 'utf8')
  const imports = new Set<string>()
  const output = new Map<string, readonly string[]>()
  const bodies: string[] = []
  for (const { at, text } of modulesOfPage(file, markdown, repository)) {
    const { code } = await transform(text, { loader: 'ts', target: 'node20' })
    const body = code.replaceAll(importLine, (line) => {
      imports.add(line.trim())
      return ''
    })
    // A block that starts a session of its own must find none.
    const alone = text.includes('ray.init(') ? 'await __ray.shutdown()\n' : ''
    const lines = [...text.matchAll(promised)].map((found) => found.groups?.['line'] ?? '')
    output.set(at, lines)
    bodies.push(`{\nconsole.log('${mark}${at}')\n${alone}await (async () => {\n${body}\n})()\n}`)
  }
  const heads = [`import * as __ray from 'typeray'`, ...imports]
  return { source: [...heads, ...bodies].join('\n').replaceAll(/^export \{.*\};?$/gm, ''), output }
}

function linesOf(stdout: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  let current: string[] = []
  for (const line of stdout.split('\n')) {
    if (line.startsWith(mark)) {
      current = []
      found.set(line.slice(mark.length), current)
    } else if (line !== '') current.push(line)
  }
  return found
}

for (const file of ['README.md', 'docs/coming-from-ray.md', 'docs/errors.md']) {
  test(`the examples of ${file} print what their comments say`, async () => {
    const { source, output } = await programOf(file)
    const { code, stdout, stderr } = await runDriver(source, { timeoutMs: 120_000 })
    assert.equal(code, 0, `${stdout}${stderr}`)
    const printed = linesOf(stdout)
    for (const [at, lines] of output) {
      const got = printed.get(at) ?? []
      const missing = lines.filter((line) => !got.includes(line))
      assert.deepEqual(missing, [], `${at} printed:\n${got.join('\n')}`)
    }
  })
}

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
