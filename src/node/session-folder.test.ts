import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync } from 'node:fs'
import { rmSync, statSync, utimesSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { SessionError } from '../base/errors.js'
import { sessionFolderAgeMs, sessionFoldersMax } from '../base/limits.js'
import {
  createSessionFolder,
  latestSession,
  pruneSessions,
  sessionNameAt,
  sessionsFolder,
} from './session-folder.js'

function withFolder<T>(run: (root: string) => T): T {
  const root = mkdtempSync(path.join(os.tmpdir(), 'typeray-folder-'))
  const remove = (): void => rmSync(root, { recursive: true, force: true })
  const result = run(root)
  if (result instanceof Promise) return result.finally(remove) as T
  remove()
  return result
}

/** No process has a number like this one. */
const deadPid = 999_999_999

test('a place where nothing can be made is refused at once', () => {
  for (const root of ['/proc/no-such-place/deep', '/dev/null/no-such-place']) {
    assert.throws(() => createSessionFolder(root, 'session_x_1'), SessionError)
  }
})

test('is for the eyes of its user only, and the latest is pointed to', () => {
  withFolder((temporary) => {
    const root = path.join(temporary, 'deep', 'sessions')
    const first = sessionNameAt(new Date(0), 1)
    assert.equal(first, 'session_1970-01-01_00-00-00_000_1')
    for (const name of [first, sessionNameAt(new Date(1), 2)]) {
      const folder = createSessionFolder(root, name)
      assert.equal(statSync(folder).mode & 0o777, 0o700)
      assert.ok(existsSync(path.join(folder, 'logs')))
      assert.equal(readlinkSync(latestSession(root)), name)
    }
  })
})

test('the folder of the user is refused when others may write to it', () => {
  withFolder((temporary) => {
    const root = path.join(temporary, `typeray-${os.userInfo().uid}`)
    mkdirSync(root)
    chmodSync(root, 0o777)
    const make = (): unknown => createSessionFolder(root, sessionNameAt(new Date(), 1))
    assert.throws(make, SessionError)
    assert.throws(make, /tempDir/)
  })
})

test('TYPERAY_TMPDIR says where, and an option overrules it', () => {
  const before = process.env['TYPERAY_TMPDIR']
  process.env['TYPERAY_TMPDIR'] = '/somewhere'
  try {
    assert.equal(sessionsFolder(), '/somewhere')
    assert.equal(sessionsFolder('/elsewhere'), '/elsewhere')
    delete process.env['TYPERAY_TMPDIR']
    assert.equal(sessionsFolder(), path.join(os.tmpdir(), `typeray-${os.userInfo().uid}`))
  } finally {
    if (before === undefined) delete process.env['TYPERAY_TMPDIR']
    else process.env['TYPERAY_TMPDIR'] = before
  }
})

test('removes the old and the many of the sessions that have ended, and nothing else', async () => {
  await withFolder(async (root) => {
    const made = Array.from({ length: sessionFoldersMax + 3 }, (_, i) => {
      const name = sessionNameAt(new Date(i * 1000), deadPid)
      createSessionFolder(root, name)
      return name
    })
    const alive = sessionNameAt(new Date(0), process.pid)
    createSessionFolder(root, alive)
    mkdirSync(path.join(root, 'of-somebody-else'))
    const old = made.at(-1)!
    const long = new Date(Date.now() - sessionFolderAgeMs - 1000)
    utimesSync(path.join(root, old), long, long)
    await pruneSessions(root, Date.now())
    const left = readdirSync(root).filter((name) => made.includes(name))
    assert.deepEqual(left, made.slice(3, -1))
    assert.ok(existsSync(path.join(root, alive)))
    assert.ok(existsSync(path.join(root, 'of-somebody-else')))
  })
})
