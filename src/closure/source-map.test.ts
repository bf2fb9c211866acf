import assert from 'node:assert/strict'
import { SourceMap } from 'node:module'
import { it } from 'node:test'
import esbuild from 'esbuild'
import { cutMap, mapComment, sourceMapOf } from './source-map.js'

it('the map cut out for one function leads to the same lines elsewhere', () => {
  const typescript =
    'interface A {\n  a: number\n}\nconst one: number = 1\nexport function target(a: A) {\n' +
    '  const filler = a.a\n\n  return [filler, one]\n}\nexport const after = 2\n'
  for (const minify of [false, true]) {
    const { code } = esbuild.transformSync(typescript, {
      loader: 'ts',
      sourcemap: 'inline',
      sourcefile: 'source.ts',
      minifyWhitespace: minify,
    })
    const map = sourceMapOf(code, 'file:///folder/source.js')
    assert.ok(map)
    assert.deepEqual(map.sources, ['file:///folder/source.ts'])
    const offset = code.indexOf('function target')
    const length = code.indexOf('}', offset) + 1 - offset
    const starts = [0]
    for (let i = code.indexOf('\n'); i >= 0; i = code.indexOf('\n', i + 1)) starts.push(i + 1)
    const cut = cutMap(map, { offset, length }, starts)

    const moved = `// another line\nconst x = (${code.slice(offset, offset + length)})`
    const comment = mapComment(cut, moved, moved.indexOf('function target'))
    const json = Buffer.from(comment.slice(comment.indexOf('base64,') + 7), 'base64').toString()
    const written = new SourceMap(JSON.parse(json) as ConstructorParameters<typeof SourceMap>[0])
    const before = moved.slice(0, moved.indexOf('return')).split('\n')
    const entry = written.findEntry(before.length - 1, before.at(-1)?.length ?? 0)
    assert.ok('originalLine' in entry)
    assert.equal(entry.originalLine, 7)
    assert.equal(entry.originalSource, 'file:///folder/source.ts')
  }
})

it('a script without a map, or with a broken one, has no map', () => {
  assert.equal(sourceMapOf('const x = 1', 'file:///a.js'), undefined)
  assert.equal(sourceMapOf('//# sourceMappingURL=missing.map', 'file:///nowhere/a.js'), undefined)
  assert.equal(
    sourceMapOf('//# sourceMappingURL=data:application/json,{', 'file:///a.js'),
    undefined,
  )
})
