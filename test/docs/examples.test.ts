// Every example that a user reads compiles against the package as it is.
import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { problemsOf } from './compile.js'
import { snippetsOfDocstrings, snippetsOfPage, snippetsOfPages } from './snippets.js'

const root = path.resolve(fileURLToPath(new URL('../../..', import.meta.url)))

const page = [
  'Text.\n```ts\nconst ref = ray.put(1)\n```\nand',
  '```ts continues',
  'const text: string = await ray.get(ref)',
  '```\nnever:\n```ts nocheck\n...\n```\n```sh\nls\n```\n',
].join('\n')

// One program for all tests: most of its time goes into reading the package.
const snippets = [...snippetsOfPages(root), ...snippetsOfDocstrings(root)]
const problems = problemsOf([...snippets, ...snippetsOfPage('planted.md', page)], root)
const isPlanted = (problem: string): boolean => problem.startsWith('planted.md')

describe('the examples', () => {
  test('of pages and docstrings compile', () => {
    assert.ok(snippets.length > 30, `only ${snippets.length} examples were found`)
    const found = problems.filter((problem) => !isPlanted(problem))
    if (found.length > 0) assert.fail(`\n${found.join('\n')}`)
  })

  test('are checked: a wrong one is found, with its line', () => {
    assert.deepEqual(problems.filter(isPlanted), [
      "planted.md:7: Type 'number' is not assignable to type 'string'.",
    ])
  })
})
