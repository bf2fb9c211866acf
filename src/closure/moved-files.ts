// Files that lie elsewhere here than where the program was written.
//
// A folder of the program that was brought to another machine is unpacked under another path. What
// travels keeps the paths of the program, in all processes, so that it can travel on; only where a
// file is opened the path is that of this machine.

import { fileURLToPath, pathToFileURL } from 'node:url'

let moved: { readonly from: string; readonly to: string } | undefined

/** `from` is the folder of the program, `to` the one where its files are here. */
export function moveFiles(from: string, to: string): void {
  moved = { from: `${from.replace(/\/$/, '')}/`, to: `${to.replace(/\/$/, '')}/` }
}

/** Where the file is here. Paths and file URLs, absolute; anything else is returned as it is. */
export function movedFile(file: string): string {
  return moved === undefined ? file : replaced(file, moved.from, moved.to)
}

/** Where the program has the file. */
export function originalFile(file: string): string {
  return moved === undefined ? file : replaced(file, moved.to, moved.from)
}

function replaced(file: string, from: string, to: string): string {
  if (!file.startsWith('file:')) return file.startsWith(from) ? to + file.slice(from.length) : file
  const [url = '', query] = file.split(/(?=[?#])/, 2)
  const path = fileURLToPath(url)
  if (!path.startsWith(from)) return file
  return pathToFileURL(to + path.slice(from.length)).href + (query ?? '')
}
