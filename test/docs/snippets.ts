// Examples of the documentation: TypeScript blocks of pages, and `@example`s of docstrings.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { listFiles, readSources } from '../tidy/sources.js'

export interface Snippet {
  /** Where it stands: `docs/x.md:12`. */
  readonly at: string
  readonly text: string
  /** It goes on where the block before it on the page ended. */
  readonly isContinued: boolean
}

const fence = /^(?<indent> *)```(?<info>[^\n]*)\n(?<text>.*?)^ *```$/gms

const lineNumber = (text: string, offset: number): number =>
  text.slice(0, offset).split('\n').length

/**
 * The blocks of a page that begin with ```ts. `ts nocheck` is a fragment that cannot be compiled;
 * `ts continues` goes on where the block before ended.
 */
export function snippetsOfPage(file: string, markdown: string): Snippet[] {
  return [...markdown.matchAll(fence)].flatMap((found) => {
    const { info = '', text = '' } = found.groups ?? {}
    const [language, ...words] = info.trim().split(/\s+/)
    if (language !== 'ts' || words.includes('nocheck')) return []
    const at = `${file}:${lineNumber(markdown, found.index) + 1}`
    return [{ at, text, isContinued: words.includes('continues') }]
  })
}

/** The code of an `@example`: its fenced blocks, or all of it. */
function codeOf(comment: string): string {
  const blocks = [...comment.matchAll(fence)].map((found) => found.groups?.['text'] ?? '')
  return blocks.length > 0 ? blocks.join('\n') : comment
}

const tagLine = /^@(?:example|throws|returns|see|param|internal|module|deprecated)\b/

/**
 * The examples of a docstring, each with the number of its first line. Read from the text: the
 * compiler takes a decorator at the beginning of a line for a tag.
 */
function examplesOf(comment: string): { line: number; text: string }[] {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*(\/\*\*|\*\/|\* ?)/, ''))
  const examples: { line: number; text: string }[] = []
  let open: { line: number; text: string } | undefined
  let isFenced = false
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('```')) isFenced = !isFenced
    if (!isFenced && tagLine.test(line)) {
      open = undefined
      if (!line.startsWith('@example')) continue
      open = { line: index + 1, text: '' }
      examples.push(open)
    } else if (open !== undefined) open.text += `${line}\n`
  }
  return examples.map(({ line, text }) => ({ line, text: codeOf(text) }))
}

function snippetsOfSource(file: string, text: string): Snippet[] {
  return [...text.matchAll(/\/\*\*.*?\*\//gs)].flatMap((found) => {
    const first = lineNumber(text, found.index)
    return examplesOf(found[0]).map((example) => {
      return { at: `${file}:${first + example.line}`, text: example.text, isContinued: false }
    })
  })
}

/** Pages that a user reads. What a decision record quotes is history, and not kept up. */
const isPage = (file: string): boolean =>
  file.endsWith('.md') && !file.includes('/')
    ? file !== 'CHANGELOG.md'
    : /^docs\/(?!decisions\/).*\.md$/.test(file)

export function snippetsOfPages(root: string): Snippet[] {
  return listFiles(root)
    .filter(isPage)
    .flatMap((file) => snippetsOfPage(file, readFileSync(path.join(root, file), 'utf8')))
}

export function snippetsOfDocstrings(root: string): Snippet[] {
  return readSources(root)
    .filter(({ path: file, isTest }) => file.startsWith('src/') && !isTest)
    .flatMap(({ path: file, text }) => snippetsOfSource(file, text))
}
