import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noLabel, type OutputLabel, outputMark } from '../wire/output-mark.js'
import { LabelledLines } from './labelled-lines.js'

const ofF: OutputLabel = { taskId: 'aa', name: 'f', actorId: '', level: 'INFO' }
const ofG: OutputLabel = { taskId: 'bb', name: 'g\n"', actorId: 'cc', level: 'ERROR' }

/** What comes out when the text arrives in pieces of this size. */
function through(text: string, size: number): [string, string][] {
  const got: [string, string][] = []
  const lines = new LabelledLines((each, label) => {
    for (const line of each) got.push([label.name, line])
  })
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) lines.push(bytes.subarray(at, at + size))
  lines.end()
  return got
}

test('lines belong to the task of the mark before them, however the chunks are cut', () => {
  const text =
    `first\n${outputMark(ofF)}one\ntwö\nno end${outputMark(ofG)}three\n` +
    `${outputMark(noLabel)}four\nlast without end`
  const expected = [
    ['', 'first'],
    ['f', 'one'],
    ['f', 'twö'],
    ['f', 'no end'],
    ['g\n"', 'three'],
    ['', 'four'],
    ['', 'last without end'],
  ]
  for (const size of [1, 2, 3, 7, 20, 1000]) assert.deepEqual(through(text, size), expected)
})

test('text that only looks like a mark stays text', () => {
  const lines = ['\u001e', 'a\u001etyperay:', '\u001etyperay:{}', '\u001etyperay:[1]']
  assert.deepEqual(
    through(`${lines.join('\n')}\n`, 5),
    lines.map((line) => ['', line]),
  )
})
