// typeray token

import { generateToken, requireToken } from '../node/token.js'

export function token(
  what: 'generate' | 'show',
  options: { readonly file?: string },
): Promise<void> {
  process.stdout.write(what === 'generate' ? generated(options.file) : shown(options.file))
  return Promise.resolve()
}

function generated(asked: string | undefined): string {
  const file = generateToken(asked)
  return (
    `A new token is in ${file}, for your eyes only.\n` +
    'Copy the file to every machine of the cluster, to the same place:\n' +
    `  scp ${file} machine:${file}\n`
  )
}

function shown(file: string | undefined): string {
  return `${requireToken('This command', file)}\n`
}
