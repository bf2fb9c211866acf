// Writes the driver programs of the matrix: the same cases, as every kind of JavaScript that people
// run.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import esbuild from 'esbuild'
import ts from 'typescript'

const repository = fileURLToPath(new URL('../../../', import.meta.url))
export const fixtures = path.join(repository, 'test/closure/fixtures')
const require = createRequire(import.meta.url)
export const tsxLoader = pathToFileURL(require.resolve('tsx')).href
export const tsxCommand = path.join(
  path.dirname(require.resolve('tsx/package.json')),
  'dist/cli.mjs',
)

export interface Program {
  readonly name: string
  readonly command: readonly string[]
  /** What a stack frame of the function `fails` must look like. */
  readonly frame: RegExp
}

export interface CaseResult {
  readonly name: string
  readonly problem?: string
}

/** What a program says of its cases: one line of its output. */
export function caseResults({ stdout, stderr }: { stdout: string; stderr: string }): CaseResult[] {
  const mark = '@results '
  const line = stdout.split('\n').find((text) => text.startsWith(mark))
  if (line === undefined) throw new Error(`the program printed no results:\n${stdout}${stderr}`)
  return JSON.parse(line.slice(mark.length)) as CaseResult[]
}

const fixture = (name: string): string => readFileSync(path.join(fixtures, name), 'utf8')

type Packages = Readonly<Record<string, Readonly<Record<string, string>>>>

interface Kind {
  readonly typescript: boolean
  readonly esm: boolean
}

/** How the cases are run: by the preloaded harness, or by what the program brings itself. */
export interface Setting {
  /** Text before the cases, by kind of module. Programs that have it go through the public API. */
  readonly head?: Readonly<Record<'esm' | 'cjs', string>>
  /** Packages besides those of the cases: their files, */
  readonly packages?: Packages
  /** or where their folders are. */
  readonly links?: Readonly<Record<string, string>>
}

const packages: Packages = {
  'esm-kit': {
    'package.json': '{"name":"esm-kit","type":"module","exports":"./index.js"}',
    'index.js':
      'export const add = (a, b) => a + b\n' +
      'export const chunk = (a, n) =>\n' +
      '  a.length ? [a.slice(0, n), ...chunk(a.slice(n), n)] : []\n' +
      'export default { add, chunk }\n',
  },
  'cjs-kit': {
    'package.json': '{"name":"cjs-kit","main":"index.js"}',
    'index.js':
      'exports.add = (a, b) => a + b\n' +
      'exports.chunk = (a, n) =>\n' +
      '  a.length ? [a.slice(0, n), ...exports.chunk(a.slice(n), n)] : []\n',
  },
  'cjs-function': {
    'package.json': '{"name":"cjs-function","main":"index.js"}',
    'index.js': 'module.exports = (text) => parseFloat(text) * 1000\n',
  },
}

const frameMark = '// the line that stacks must show'

function frameOf(file: string, source: string): RegExp {
  const line = source.split('\n').findIndex((text) => text.includes(frameMark)) + 1
  return new RegExp(`at fails \\(.*${path.basename(file).replaceAll('.', '\\.')}:${line}:\\d+\\)`)
}

export class Programs {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'closure-'))
  readonly #head: Setting['head']

  constructor(setting: Setting = {}) {
    this.#head = setting.head
    for (const [name, files] of Object.entries({ ...packages, ...setting.packages })) {
      for (const [file, text] of Object.entries(files))
        this.write(`node_modules/${name}/${file}`, text)
    }
    for (const [name, folder] of Object.entries(setting.links ?? {})) {
      symlinkSync(folder, path.join(this.folder, 'node_modules', name))
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  /**
   * Lines that begin with `//TS`, `//ESM`, `//API` or `//CLOSURE` belong to programs of that kind
   * only.
   */
  private casesFor({ typescript, esm }: Kind): string {
    const isApi = this.#head !== undefined
    const kinds = { '//TS': typescript, '//ESM': esm, '//API': isApi, '//CLOSURE': !isApi }
    const cases = fixture('cases.txt').split('\n')
    const lines = cases.flatMap((line) => {
      const kind = Object.entries(kinds).find(([mark]) => line.startsWith(mark))
      if (kind === undefined) return [line]
      return kind[1] ? [line.slice(kind[0].length)] : []
    })
    return (this.#head?.[esm ? 'esm' : 'cjs'] ?? '') + lines.join('\n')
  }

  /** Writes a file below the folder; returns its path. */
  write(name: string, text: string): string {
    const file = path.join(this.folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }

  private package(name: string, type: 'module' | 'commonjs'): void {
    this.write(`${name}/package.json`, JSON.stringify({ type }))
  }

  /** The program in every way that people run JavaScript. */
  modes(): Program[] {
    return [
      this.javascript('node-esm', true),
      this.javascript('node-cjs', false),
      this.compiled('tsc-esm', true),
      this.compiled('tsc-cjs', false),
      this.tsx('tsx-esm', true),
      this.tsx('tsx-cjs', false),
      this.tsxImport('import-tsx-esm', true),
      this.tsxImport('import-tsx-cjs', false),
      this.bundled('esbuild-bundle'),
    ]
  }

  /** Plain JavaScript as node runs it. */
  private javascript(name: string, esm: boolean): Program {
    this.package(name, esm ? 'module' : 'commonjs')
    const lib = ts.transpileModule(fixture('lib.ts'), { compilerOptions: compilerOptions(esm) })
    this.write(`${name}/lib.js`, lib.outputText.replace(/\/\/# sourceMappingURL.*/, ''))
    const source =
      fixture(esm ? 'head.esm.txt' : 'head.cjs.txt') + this.casesFor({ typescript: false, esm })
    const file = this.write(`${name}/main.js`, source)
    return { name, command: [process.execPath, file], frame: frameOf(file, source) }
  }

  private typescript(name: string, esm: boolean): { file: string; source: string } {
    this.package(name, esm ? 'module' : 'commonjs')
    this.write(`${name}/tsconfig.json`, '{"compilerOptions":{"experimentalDecorators":true}}')
    this.write(`${name}/lib.ts`, fixture('lib.ts'))
    const source = fixture('head.esm.txt') + this.casesFor({ typescript: true, esm })
    return { source, file: this.write(`${name}/main.ts`, source) }
  }

  /** Output of tsc, run with source maps. */
  private compiled(name: string, esm: boolean): Program {
    const { file, source } = this.typescript(name, esm)
    for (const module of ['main', 'lib']) {
      const text = module === 'main' ? source : fixture('lib.ts')
      const options = { compilerOptions: compilerOptions(esm), fileName: `${module}.ts` }
      const output = ts.transpileModule(text, options)
      this.write(`${name}/${module}.js`, output.outputText)
      this.write(`${name}/${module}.js.map`, output.sourceMapText ?? '')
    }
    const command = [process.execPath, '--enable-source-maps', file.replace(/ts$/, 'js')]
    return { name, command, frame: frameOf(file, source) }
  }

  private tsx(name: string, esm: boolean): Program {
    const { file, source } = this.typescript(name, esm)
    return { name, command: [process.execPath, tsxCommand, file], frame: frameOf(file, source) }
  }

  private tsxImport(name: string, esm: boolean): Program {
    const { file, source } = this.typescript(name, esm)
    const config = path.join(this.folder, name, 'tsconfig.json')
    this.write(`${name}/tsconfig.json`, '{"compilerOptions":{"experimentalDecorators":true}}')
    const command = [
      'env',
      `TSX_TSCONFIG_PATH=${config}`,
      process.execPath,
      '--import',
      tsxLoader,
      file,
    ]
    return { name, command, frame: frameOf(file, source) }
  }

  /** A bundle whose packages stay imports. */
  private bundled(name: string): Program {
    const { file, source } = this.typescript(name, true)
    esbuild.buildSync({
      entryPoints: [file],
      outfile: file.replace(/ts$/, 'js'),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      keepNames: true,
      sourcemap: true,
      logLevel: 'error',
    })
    const command = [process.execPath, '--enable-source-maps', file.replace(/ts$/, 'js')]
    return { name, command, frame: frameOf(file, source) }
  }
}

function compilerOptions(esm: boolean): ts.CompilerOptions {
  return {
    target: ts.ScriptTarget.ES2022,
    module: esm ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS,
    esModuleInterop: true,
    experimentalDecorators: true,
    sourceMap: true,
  }
}
