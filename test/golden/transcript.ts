// Golden transcripts: a script of commands, each followed by `----` and what the machine did about
// it.
//
//   node n1 CPU=4
//   ----
//   ok
//
// A test replays the commands and compares. With UPDATE=1 it writes what happened instead, and the
// difference is for people to review. Lines that begin with `#` are the story; they are kept.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * A command line, split: words before the first `name=value` are arguments. A bare `name` after it
 * is `name=true`.
 */
export class Command {
  readonly verb: string
  readonly words: readonly string[]
  readonly options: ReadonlyMap<string, string>

  constructor(line: string) {
    const [verb = '', ...rest] = line.trim().split(/\s+/)
    this.verb = verb
    const isOption = (word: string): boolean => /^[A-Za-z]\w*=/.test(word)
    const first = rest.findIndex(isOption)
    this.words = first === -1 ? rest : rest.slice(0, first)
    const options = first === -1 ? [] : rest.slice(first)
    this.options = new Map(
      options.map((word) => {
        const at = word.indexOf('=')
        return at === -1 ? [word, 'true'] : [word.slice(0, at), word.slice(at + 1)]
      }),
    )
  }

  word(index: number): string {
    const word = this.words[index]
    if (word === undefined) throw new Error(`${this.verb} needs word ${index + 1}`)
    return word
  }

  number(name: string, otherwise?: number): number {
    const text = this.options.get(name)
    if (text !== undefined) return Number(text)
    if (otherwise === undefined) throw new Error(`${this.verb} needs ${name}=<number>`)
    return otherwise
  }

  text(name: string, otherwise: string): string {
    return this.options.get(name) ?? otherwise
  }

  flag(name: string): boolean {
    return this.options.get(name) === 'true'
  }
}

/**
 * Replays `<name>.txt` beside this file's source; `run` returns the lines that a command causes.
 */
export function replay(name: string, run: (command: Command) => readonly string[]): void {
  const folder = fileURLToPath(new URL('../../../test/golden', import.meta.url))
  const file = path.join(folder, `${name}.txt`)
  const written = readFileSync(file, 'utf8')
  const played = written
    .trimEnd()
    .split(/\n\n+/)
    .map((paragraph) => playParagraph(paragraph, run))
    .join('\n\n')
    .concat('\n')
  if (process.env['UPDATE'] === '1') writeFileSync(file, played)
  else assert.equal(played, written)
}

function playParagraph(paragraph: string, run: (command: Command) => readonly string[]): string {
  const lines = paragraph.split('\n')
  const end = lines.indexOf('----')
  const script = end === -1 ? lines : lines.slice(0, end)
  const commands = script.filter((line) => !line.startsWith('#'))
  if (commands.length === 0) return paragraph
  const output = commands.flatMap((line) => run(new Command(line)))
  return [...script, '----', ...(output.length === 0 ? ['nothing'] : output)].join('\n')
}
