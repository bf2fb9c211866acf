// What docs/ray-names.md says, and how it is compared with what the code does.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Row, rowsOf } from './tables.js'

export const root = path.resolve(fileURLToPath(new URL('../../..', import.meta.url)))
export const file = 'docs/ray-names.md'
export const rows = rowsOf(readFileSync(path.join(root, file), 'utf8'))
export const states = ['works', 'differs', 'refused', 'not yet', 'no']
export const isThere = (state: string): boolean => state === 'works' || state === 'differs'

export function reportNone(problems: readonly string[]): void {
  if (problems.length > 0) assert.fail(`\n${problems.join('\n')}`)
}

/** Rows of a section as what the page says of each. */
export function claimsOf(
  section: string,
): { at: string; here: string; state: string; note: string }[] {
  const found = rows.filter((row) => row.section === section)
  assert.ok(found.length > 0, `${file} has no table in the section ${section}`)
  return found.map(({ line, cells: [, here = '', state = '', note = ''] }: Row) => {
    return { at: `${file}:${line}`, here, state, note }
  })
}

/** What passing an option says; undefined when it is accepted. */
function complaint(pass: () => unknown): string | undefined {
  try {
    pass()
    return undefined
  } catch (error) {
    assert.ok(error instanceof TypeError, String(error))
    return error.message
  }
}

/** Every option of a section is accepted, or refused by name with its reason, as its row says. */
export function checkOptions(section: string, pass: (options: object) => unknown): void {
  const problems = claimsOf(section).flatMap(({ at, here, state, note }) => {
    if (here === '') return []
    const said = complaint(() => pass({ [here]: undefined }))
    const says = `${at}: ${here} is '${state}'`
    if (isThere(state)) return said === undefined ? [] : [`${says}, but: ${said}`]
    if (said === undefined) return [`${says}, but it is accepted`]
    const isNamed = said.includes(`${here}'`)
    if (!isNamed) return [`${says}, but it is not refused by name: ${said}`]
    const hasReason = state !== 'refused' || said.includes(note)
    return hasReason ? [] : [`${says} for '${note}', but: ${said}`]
  })
  reportNone(problems)
}
