// The folder of a program reaches nodes that never saw it.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { withNodes } from './many-nodes.js'

/** A project of several files, gone after the test. */
function project(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'project-')))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  return folder
}

const files = {
  '.gitignore': 'secret.txt\n',
  'secret.txt': 'not for others',
  'large.bin': 'x'.repeat(1000),
  'data/words.txt': 'one two three',
  'lib/deep.mjs': `export const deep = (x) => x * 100`,
  'lib/tool.mjs': `
    import { existsSync, readFileSync } from 'node:fs'
    import { deep } from './deep.mjs'
    export class Tool {
      look() {
        const isThere = (name) => existsSync(new URL('../' + name, import.meta.url))
        return {
          cwd: process.cwd(),
          words: readFileSync('data/words.txt', 'utf8'),
          deep: deep(7),
          there: ['secret.txt', 'large.bin', '.gitignore'].filter(isThere),
          url: import.meta.url,
        }
      }
      /** What it makes here is of the same class at home. */
      another() { return new Tool() }
    }
  `,
}

void test('modules and files of the working folder are there on another node', (t) =>
  withNodes(2, async ({ sessions, run }) => {
    const folder = project(files)
    t.after(() => rmSync(folder, { recursive: true }))
    const tool = JSON.stringify(pathToFileURL(path.join(folder, 'lib/tool.mjs')).href)
    const there = sessions[1] ?? assert.fail()
    const output = await run(`
      const { Tool } = await import(${tool})
      const runtimeEnv = { workingDir: ${JSON.stringify(folder)}, excludes: ['*.bin'] }
      await ray.init({ runtimeEnv })
      const schedulingStrategy = { nodeId: "${there.nodeId}" }
      const Remote = ray.remote(Tool).options({ schedulingStrategy, numCpus: 1 })
      const actor = Remote.remote()
      const seen = await ray.get(actor.look.remote())
      console.log(JSON.stringify(seen))
      const other = await ray.get(actor.another.remote())
      console.log(other instanceof Tool)
    `)
    const [line = '', isSame] = output.trim().split('\n')
    const seen = JSON.parse(line) as { cwd: string; words: string; deep: number; there: string[] }
    assert.ok(seen.cwd.startsWith(there.sessionDir), seen.cwd)
    assert.deepEqual([seen.words, seen.deep, seen.there], ['one two three', 700, ['.gitignore']])
    assert.equal(isSame, 'true')
    assert.ok(existsSync(seen.cwd))
  }))

void test('a folder that is too large says which files are, and a package is unpacked once', (t) =>
  withNodes(1, async ({ run }) => {
    const folder = project({ 'a.txt': 'a' })
    t.after(() => rmSync(folder, { recursive: true }))
    const output = await run(`
      import { truncateSync } from 'node:fs'
      truncateSync(${JSON.stringify(path.join(folder, 'a.txt'))}, 300e6)
      const runtimeEnv = { workingDir: ${JSON.stringify(folder)} }
      await ray.init({ runtimeEnv }).catch((error) => console.log(error.message))
    `)
    assert.match(
      output,
      /has 300 MB of files, and 250 MB can be sent.*excludes.*\n {2}a\.txt: 300 MB/,
    )
  }))
