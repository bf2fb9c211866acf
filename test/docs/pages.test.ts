// Pages hang together: links lead somewhere, and the glossary's names are names of the code.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { listFiles } from '../tidy/sources.js'
import { root } from './ray-names.js'
import { rowsOf } from './tables.js'

const pages = listFiles(root).filter((file) => file.endsWith('.md'))
const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8')
const withoutCode = (text: string): string => text.replaceAll(/^```.*?^```$/gms, '')

/** The anchors of a page's headings, as code hosts make them. */
function anchorsOf(text: string): Set<string> {
  const headings = withoutCode(text).matchAll(/^#+ (?<title>.*)$/gm)
  const titles = [...headings].map((found) => found.groups?.['title'] ?? '')
  return new Set(
    titles.map((t) =>
      t
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}

test('links between pages lead to a file, and to a heading where they name one', () => {
  const broken = pages.flatMap((page) => {
    const links = withoutCode(textOf(page)).matchAll(/\]\((?!\w+:)(?<to>[^)\s]+)\)/g)
    return [...links].flatMap((found) => {
      const [file = '', anchor] = (found.groups?.['to'] ?? '').split('#')
      const to = file === '' ? page : path.posix.join(path.posix.dirname(page), file)
      const exists = existsSync(path.join(root, to))
      const leads = exists && (anchor === undefined || anchorsOf(textOf(to)).has(anchor))
      return leads ? [] : [`${page}: ${found.groups?.['to']}`]
    })
  })
  assert.deepEqual(broken, [])
})

test('what the glossary calls a name in code is one', () => {
  const sources = listFiles(root).filter((file) => file.startsWith('src/') && file.endsWith('.ts'))
  const code = sources.map(textOf).join('\n')
  const words = rowsOf(textOf('docs/GLOSSARY.md')).flatMap(({ cells }) =>
    (cells[1] ?? '').split(', ').filter((name) => name !== ''),
  )
  const strange = words
    .map((name) => name.replace(/<.*/, ''))
    .filter((name) => !new RegExp(`\\b${name}\\b`).test(code) && !existsSync(path.join(root, name)))
  assert.deepEqual(strange, [])
})
