import assert from 'node:assert/strict'
import { it } from 'node:test'
import { exportsOf } from './exports.js'
import { parseAny } from './syntax.js'

function exportedNames(source: string): string[] {
  return [...exportsOf(parseAny(source)).values()].map(({ name }) => name).sort()
}

it('the exports of a module are the functions and classes written as such', () => {
  const source = `
    export function declared() {}
    export const arrow = () => 1, number = 5
    export class Type {}
    const local = __name(() => 2, 'local')
    class Hidden {}
    export { local as renamed }
    export default function () {}`
  assert.deepEqual(exportedNames(source), ['Type', 'arrow', 'declared', 'default', 'renamed'])
})

it('an export that is assigned is none, whatever has its name in inner scopes', () => {
  const source = `
    export let changing = () => 1
    export const fixed = () => 2
    function set(other) { let fixed; fixed = 1; changing = other; return fixed }`
  assert.deepEqual(exportedNames(source), ['fixed'])
})
