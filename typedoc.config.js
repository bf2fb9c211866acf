// The reference site: every door of the package with its docstrings, and the pages for users.
import { readFileSync } from 'node:fs'

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const doors = Object.values(exports).flatMap((entry) =>
  typeof entry === 'object' && entry.types !== undefined
    ? [entry.types.replace('./dist/', '').replace('.d.ts', '.ts')]
    : [],
)

export default {
  name: 'Typeray',
  entryPoints: doors,
  tsconfig: 'tsconfig.package.json',
  out: 'dist/docs',
  readme: 'README.md',
  projectDocuments: ['docs/*.md'],
  excludeInternal: true,
  excludePrivate: true,
  disableSources: true,
  highlightLanguages: ['ts', 'js', 'json', 'sh', 'python'],
  sort: ['kind', 'alphabetical'],
  // Links to a type of the signatures that is not exported are no reason to export it.
  validation: { notExported: false, invalidLink: true, notDocumented: false },
  treatWarningsAsErrors: true,
}
