// The secret of a cluster: who knows it may join, and run anything there.
//
// A cluster that only this machine can reach makes its own, and keeps it in the session's file. One
// that others can reach is given one by its user, in the same way on every machine: a token in the
// environment, a file named there, or the file that `typeray token generate` writes.

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { SessionError } from '../base/errors.js'
import { newId } from '../base/ids.js'

/** A shorter one could be guessed. */
const tokenCharsMin = 16

const generateHint =
  "Make one with 'typeray token generate', and give every machine the same: in the file " +
  '~/.typeray/token, in a file named by TYPERAY_TOKEN_FILE, or in TYPERAY_TOKEN.'

function tokenFile(): string {
  return path.join(os.homedir(), '.typeray', 'token')
}

/**
 * The token of this user, or undefined.
 *
 * @throws SessionError when there is one that cannot be read, or that is none.
 */
export function userToken(file?: string): string | undefined {
  const { TYPERAY_TOKEN: given, TYPERAY_TOKEN_FILE: named } = process.env
  if (file !== undefined) return readToken(file)
  if (given !== undefined && given !== '') return checked(given, 'TYPERAY_TOKEN')
  if (named !== undefined && named !== '') return readToken(named)
  return statSync(tokenFile(), { throwIfNoEntry: false }) === undefined
    ? undefined
    : readToken(tokenFile())
}

/** Whether the user says which token it is, by option or in the environment. */
export function isTokenNamed(file: string | undefined): boolean {
  const { TYPERAY_TOKEN: given = '', TYPERAY_TOKEN_FILE: named = '' } = process.env
  return file !== undefined || given !== '' || named !== ''
}

/** @throws SessionError that says how to get one. */
export function requireToken(what: string, file?: string): string {
  const token = userToken(file)
  if (token !== undefined) return token
  throw new SessionError(`${what} needs a token. ${generateHint}`)
}

/** Writes a new token to the user's file. Returns the file. */
export function generateToken(file: string = tokenFile()): string {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(file, `${newId(32)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    if (!isThere) throw cause
    throw new SessionError(
      `${file} has a token already. Remove the file first: machines that have the old one will ` +
        'have to get the new one.',
      { cause },
    )
  }
  return file
}

function readToken(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new SessionError(`The token file ${file} cannot be read: ${String(cause)}`, { cause })
  }
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new SessionError(
      `Others can read the token file ${file}. Make it yours alone: chmod 600 ${file}`,
    )
  }
  return checked(text.trim(), file)
}

function checked(token: string, from: string): string {
  if (token.length >= tokenCharsMin && !/\s/.test(token)) return token
  throw new SessionError(
    `The token of ${from} has ${token.length} characters: it must have ${tokenCharsMin} at ` +
      `least, and no spaces. ${generateHint}`,
  )
}
