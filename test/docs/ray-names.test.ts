// docs/ray-names.md says of every name of Ray whether it works. This holds the page to the code:
// who builds something finds its row here.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import * as ray from '../../src/index.js'
import { nodeOptionsOf } from '../../src/ray/init-options.js'
import {
  checkOptions,
  claimsOf,
  file,
  isThere,
  reportNone,
  root,
  rows,
  states,
} from './ray-names.js'

interface Door {
  readonly names: ReadonlySet<string>
}

async function doorOf(name: string): Promise<Door> {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { default?: string } | string>
  }
  const entry = manifest.exports[name]
  if (typeof entry !== 'object' || entry.default === undefined) return { names: new Set() }
  const url = pathToFileURL(path.join(root, entry.default)).href
  return { names: new Set(Object.keys((await import(url)) as object)) }
}

test('every table of names has a state that is one of the five', () => {
  const named = rows.filter(({ section }) => section !== 'Defaults' && !section.startsWith("Ray's"))
  const problems = named
    .filter(({ cells }) => cells.length !== 4 || !states.includes(cells[2] ?? ''))
    .map(({ line, cells }) => `${file}:${line}: ${cells.join(' | ')}`)
  reportNone(problems)
})

test('what works can be imported, and what is not there yet cannot', async () => {
  const util = await doorOf('./util')
  const problems = rows.flatMap(({ line, cells: [, here = '', state = ''] }) => {
    const names = [
      ...[...here.matchAll(/\bray\.(\w+)/g)].map(([, name = '']) => ({ name, has: name in ray })),
      ...[...here.matchAll(/typeray\/util: (\w+)/g)].map(([, name = '']) => {
        return { name, has: util.names.has(name) }
      }),
    ]
    return names
      .filter(
        ({ name, has }) => name !== 'init' && states.includes(state) && has !== isThere(state),
      )
      .map(
        ({ name, has }) =>
          `${file}:${line}: ${name} is '${state}', and it is ${has ? '' : 'not '}there`,
      )
  })
  reportNone(problems)
})

const f = ray.remote((x: number) => x)
const C = ray.remote(
  class {
    method(): number {
      return 1
    }
  },
)

test('arguments of init are accepted or refused as the page says', () =>
  checkOptions('Arguments of init', (options) => nodeOptionsOf(options)))

test('options of tasks are accepted or refused as the page says', () =>
  checkOptions('Options of tasks', (options) => f.options(options)))

test('options of actors are accepted or refused as the page says', () =>
  checkOptions('Options of actors', (options) => C.options(options)))

test('keys of runtime environments are accepted or refused as the page says', () =>
  checkOptions('Runtime environments', (runtimeEnv) => f.options({ runtimeEnv })))

test('the runtime context has the fields that the page says', () => {
  const source = 'src/ray/runtime-context.ts'
  const text = readFileSync(path.join(root, source), 'utf8')
  const tree = ts.createSourceFile(source, text, ts.ScriptTarget.ES2023, true)
  const context = tree.statements.find(
    (each): each is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(each) && each.name.text === 'RuntimeContext',
  )
  const fields = new Set(context?.members.map((member) => member.name?.getText(tree)))
  const claims = claimsOf('Runtime context')
  const problems = claims
    .filter(({ here, state }) => fields.has(here) !== isThere(state))
    .map(({ at, here, state }) => `${at}: ${here} is '${state}', which is not so`)
  const listed = new Set(claims.map(({ here }) => here))
  const missing = [...fields].filter((field) => field !== undefined && !listed.has(field))
  reportNone([...problems, ...missing.map((field) => `${file}: the field ${field} has no row`)])
})
