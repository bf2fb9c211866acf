import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freeVariables, type FreeVariables } from './free-variables.js'
import { parseFunction } from './syntax.js'

const of = (text: string): FreeVariables => freeVariables(parseFunction(text).node)
const names = (text: string): string[] => [...of(text).names.keys()].sort()

describe('free variables', () => {
  it('are the names that nothing inside binds', () => {
    assert.deepEqual(names('(x) => x * factor + helper(x)'), ['factor', 'helper'])
    assert.deepEqual(names('function f(a, { b, c: [d = e] }, ...r) { return a + b + d + r + f }'), [
      'e',
    ])
    assert.deepEqual(names('() => { use(a); var a; { let b; use(b) } return b }'), ['b', 'use'])
    assert.deepEqual(names('() => { for (const x of xs) use(x); return x }'), ['use', 'x', 'xs'])
    assert.deepEqual(names('() => { try { a() } catch ({ message: m }) { return m } }'), ['a'])
    assert.deepEqual(names('(o) => ({ key: o.prop, [computed]: 1, short })'), ['computed', 'short'])
    assert.deepEqual(names('() => { label: for (;;) break label }'), [])
    assert.deepEqual(names('class A extends B { x = y; static { z } m() { return A } }'), [
      'B',
      'y',
      'z',
    ])
  })

  it('are marked when they are assigned', () => {
    const assigned = (text: string): string[] =>
      [...of(text).names].flatMap(([name, use]) => (use.assigned ? [name] : []))
    assert.deepEqual(assigned('() => { a = 1; b++; [c, { d: e.f }] = g; ({ h } = i) }'), [
      'a',
      'b',
      'c',
      'h',
    ])
    assert.deepEqual(assigned('() => { for (a of b) c.d = 1; for (e in f); }'), ['a', 'e'])
    assert.deepEqual(assigned('() => { let a; a = 1; () => { b = a } }'), ['b'])
  })

  it('say how each name is written, so that it can be rewritten', () => {
    const uses = of('() => { n(); n`x`; return { n, m: n } }').names.get('n')?.occurrences
    assert.deepEqual(
      uses?.map((o) => o.use),
      ['call', 'call', 'shorthand', 'plain'],
    )
  })

  it('know which members are read when nothing else is done with a name', () => {
    assert.deepEqual([...(of('() => lib.a(lib.b)').names.get('lib')?.members ?? [])], ['a', 'b'])
    assert.equal(of('() => [lib.a, lib]').names.get('lib')?.members, undefined)
  })

  it('report what cannot be moved', () => {
    assert.equal(of('() => this').obstacles.this, true)
    assert.equal(of('() => function () { return this }').obstacles.this, false)
    assert.equal(of('(o) => o.#p').obstacles.private, 'p')
    assert.equal(of('m() { return super.m() }').obstacles.super, true)
    assert.equal(of('class A extends B { m() { return super.m() } }').obstacles.super, false)
    assert.equal(of('(x) => eval(x)').obstacles.eval, true)
    assert.equal(of('() => arguments').obstacles.arguments, true)
    assert.throws(() => of('() => new.target'), SyntaxError)
  })
})
