// Globs: `*` and `?` within a name, `**` across folders, `[abc]`, `{a,b}`.

const globCharacters = /[*?[\]{}]/

export function isGlob(text: string): boolean {
  return globCharacters.test(text)
}

/** A regular expression for a whole path, or one name of it, that a glob describes. */
export function globPattern(glob: string): RegExp {
  let source = ''
  let depth = 0
  for (let i = 0; i < glob.length; i++) {
    const char = glob.charAt(i)
    if (char === '*' && glob.startsWith('**/', i)) {
      source += '(?:[^/]+/)*'
      i += 2
    } else if (char === '*' && glob.charAt(i + 1) === '*') {
      source += '.*'
      i++
    } else if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const end = glob.indexOf(']', i + 2)
      if (end === -1) source += '\\['
      else {
        source += `[${glob
          .slice(i + 1, end)
          .replace(/^!/, '^')
          .replaceAll('\\', '\\\\')}]`
        i = end
      }
    } else if (char === '{') {
      depth++
      source += '(?:'
    } else if (char === '}' && depth > 0) {
      depth--
      source += ')'
    } else if (char === ',' && depth > 0) source += '|'
    else source += char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  }
  return new RegExp(`^${source}$`, 's')
}
