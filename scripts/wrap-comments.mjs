// Wraps comments that are wider than a line may be; prettier leaves them as they are. Words that do
// not fit move to the next line of the same paragraph, so a small overflow makes a small change.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root, sourceFolders, sourcesBelow } from './sources.mjs'

const columnsMax = 100
const commentLine = /^(?<prefix>\s*(?:\/\/|\*) )(?<text>\S.*)$/
const startsItem = /^([-*|#@<]|\d+\.|\s)/

/** The text before the limit and the words behind it. */
function split(line, prefix) {
  const end = line.lastIndexOf(' ', columnsMax)
  return end < prefix.length ? [line, ''] : [line.slice(0, end), line.slice(end + 1)]
}

function expandDocs(line) {
  const match = /^(?<indent>\s*)\/\*\* (?<text>.*) \*\/$/.exec(line)
  if (match === null || line.length <= columnsMax) return [line]
  const { indent, text } = match.groups
  return [`${indent}/**`, `${indent} * ${text}`, `${indent} */`]
}

export function wrapComments(source) {
  const lines = source.split('\n').flatMap(expandDocs)
  for (let i = 0; i < lines.length; i++) {
    const { prefix } = commentLine.exec(lines[i])?.groups ?? {}
    if (prefix === undefined || lines[i].length <= columnsMax || lines[i].includes('://')) continue
    const [kept, moved] = split(lines[i], prefix)
    if (moved === '') continue
    lines[i] = kept
    const next = commentLine.exec(lines[i + 1] ?? '')?.groups
    const goesOn = next?.prefix === prefix && !startsItem.test(next.text)
    if (goesOn) lines[i + 1] = `${prefix}${moved} ${next.text}`
    else lines.splice(i + 1, 0, `${prefix}${moved}`)
  }
  return lines.join('\n')
}

for (const folder of sourceFolders) {
  for (const file of sourcesBelow(path.join(root, folder))) {
    const before = readFileSync(file, 'utf8')
    const after = wrapComments(before)
    if (after !== before) writeFileSync(file, after)
  }
}
