// The first program of the README, in the forms in which a reader may try it.
import { transform } from 'esbuild'

export interface Readme {
  /** The program as it stands. */
  readonly program: string
  /** What it prints, as its own comments say: `console.log(x) // 4`. */
  readonly output: readonly string[]
}

export function readProgram(markdown: string): Readme {
  const program = /^```ts\n(?<program>.*?)^```$/ms.exec(markdown)?.groups?.['program']
  if (program === undefined) throw new Error('README.md has no ```ts block')
  const prints = program.matchAll(/^console\.log\(.*\) \/\/ (?<line>.+)$/gm)
  return { program, output: [...prints].map((match) => match.groups?.['line'] ?? '') }
}

const importLine =
  /^import (?:\* as (?<space>\w+)|(?<names>\{[^}]*\})) from (?<from>'[^']+'|"[^"]+")$/gm

/** The program for a module of JavaScript. */
export async function asModule(program: string): Promise<string> {
  return (await transform(program, { loader: 'ts', target: 'node20' })).code
}

/** The program for CommonJS: imports become `require`, the rest stands in an async function. */
export async function asCommonJs(program: string): Promise<string> {
  const heads: string[] = []
  const body = program.replace(importLine, (...found) => {
    const { space, names = '', from = '' } = found.at(-1) as Record<string, string | undefined>
    heads.push(`const ${space ?? names.replaceAll(' as ', ': ')} = require(${from})`)
    return ''
  })
  const text = `${heads.join('\n')}\nasync function main() {\n${body}\n}\nmain()\n`
  return (await transform(text, { loader: 'ts', target: 'node20' })).code
}
