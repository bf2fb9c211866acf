// Words that must not be in the repository, in any file.
import type { Violation } from './sources.js'

export interface TextFile {
  readonly path: string
  readonly text: string
}

interface Word {
  readonly pattern: RegExp
  readonly why: string
  /** Files in which the word is looked for. */
  readonly where: RegExp
}

// Put together from pieces, so that this file is not its own first violation.
const join = (...pieces: string[]): RegExp => new RegExp(pieces.join(''))
const code = /\.(ts|mjs|js|json)$/

const words: readonly Word[] = [
  { pattern: join('TO', 'DO\\b|FIX', 'ME\\b|\\bXX', 'X\\b'), why: 'finish it first', where: code },
  { pattern: join('(^|[\\s\'"`(=])/wo', 'rk/'), why: 'a path of one machine', where: /./ },
  {
    pattern: join('/fa', 'rm/|/opt/py', 'pi|/tmp/w', 't/'),
    why: 'a path of one machine',
    where: /./,
  },
  { pattern: join('registry\\.np', 'mjs|py', 'pi\\.org'), why: 'a registry', where: /./ },
  { pattern: join('"resolved": "ht', 'tps?://'), why: 'a download address', where: /lock\.json$/ },
]

export function checkWords(files: readonly TextFile[]): Violation[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n')
    return words
      .filter(({ pattern, where }) => where.test(path) && pattern.test(text))
      .flatMap(({ pattern, why }) =>
        lines.flatMap((line, index) => {
          const found = pattern.exec(line)?.[0]
          return found === undefined ? [] : [`${path}:${index + 1}: '${found.trim()}' is ${why}`]
        }),
      )
  })
}
