// Examples of the documentation: TypeScript blocks of pages, and `@example`s of docstrings.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { lineOf, listFiles, readSources, walk } from '../tidy/sources.js'

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

function snippetsOfSource(file: string, tree: ts.SourceFile): Snippet[] {
  const found: Snippet[] = []
  const take = (node: ts.Node): void => {
    for (const tag of ts.getJSDocTags(node)) {
      if (tag.tagName.text !== 'example' || tag.parent.parent !== node) continue
      const text = codeOf(ts.getTextOfJSDocComment(tag.comment) ?? '')
      found.push({ at: `${file}:${lineOf(tree, tag)}`, text, isContinued: false })
    }
  }
  walk(tree, take)
  return found
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
    .flatMap(({ path: file, tree }) => snippetsOfSource(file, tree))
}
