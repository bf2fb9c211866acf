// The examples of a page as one program, and what it should print.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { transform } from 'esbuild'
import { modulesOfPage } from './compile.js'

const importLine = /^import (?<what>[^;]*?) from (?<from>"[^"]+");\n?/gm
const promised = /^.*\bconsole\.log\(.*\) \/\/ (?<line>.+)$/gm
const declared = /^const (?:(?<one>\w+)|[{[] ?(?<several>[\w, ]+?) ?[}\]]) =/gm
const mark = '----- '

export interface PageProgram {
  readonly source: string
  /** What each block prints, in order, by where the block stands. */
  readonly output: ReadonlyMap<string, readonly string[]>
}

/**
 * Runs every dataset that a block made: most blocks only plan, and what cannot be run must not
 * stand on a page.
 */
const runDatasets = `async (made) => {
  for (const each of made) {
    if (each instanceof __data.Dataset) await each.takeAll()
  }
}`

/** All blocks of a page as one program: each a function, run in order. */
export async function programOf(file: string, root: string): Promise<PageProgram> {
  const markdown = readFileSync(path.join(root, file), 'utf8')
  // A name that several blocks import is imported once.
  const imports = new Set<string>()
  const output = new Map<string, readonly string[]>()
  const bodies: string[] = []
  for (const { at, text } of modulesOfPage(file, markdown, root)) {
    const { code } = await transform(text, { loader: 'ts', target: 'node20' })
    for (const { groups } of code.matchAll(importLine)) {
      const { what = '', from = '' } = groups ?? {}
      const names = what.startsWith('{') ? what.slice(1, -1).split(',') : [what]
      for (const name of names) {
        imports.add(`import ${what === name ? name : `{ ${name.trim()} }`} from ${from}`)
      }
    }
    const body = code.replaceAll(importLine, '')
    // A block that starts a session of its own must find none.
    const alone = text.includes('ray.init(') ? 'await __ray.shutdown()\n' : ''
    const lines = [...text.matchAll(promised)].map((found) => found.groups?.['line'] ?? '')
    output.set(at, lines)
    const run = `await (async () => {\n${body}\nawait __run([${namesIn(text).join(', ')}])\n})()`
    bodies.push(`{\nconsole.log('${mark}${at}')\n${alone}${run}\n}`)
  }
  const doors = [`import * as __ray from 'typeray'`, `import * as __data from 'typeray/data'`]
  const heads = [...doors, ...imports, `const __run = ${runDatasets}`]
  return { source: [...heads, ...bodies].join('\n').replaceAll(/^export \{.*\};?$/gm, ''), output }
}

/** Names of the constants at the top level of a block. */
function namesIn(text: string): string[] {
  return [...text.matchAll(declared)].flatMap(({ groups }) => {
    return (groups?.['one'] ?? groups?.['several'] ?? '').split(/, ?/)
  })
}

/** Lines that blocks should have printed and did not, with what they printed. */
export function missingLines({ output }: PageProgram, stdout: string): string[] {
  const printed = linesOf(stdout)
  return [...output].flatMap(([at, lines]) => {
    const got = printed.get(at) ?? []
    const missing = lines.filter((line) => !got.includes(line))
    return missing.length === 0 ? [] : [`${at} lacks ${missing.join(' and ')}:\n${got.join('\n')}`]
  })
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
