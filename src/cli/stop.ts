// typeray stop

import { SessionError } from '../base/errors.js'
import { sessionToObserve } from '../node/session-address.js'
import { deadSessions, liveSessions, retireSession } from '../node/session-file.js'
import { sessionsFolder } from '../node/session-folder.js'
import { stopSession } from '../node/start-head.js'

/** Sessions that programs have started for themselves are theirs to end. */
export async function stop({ address }: { readonly address?: string }): Promise<void> {
  if (address === undefined) forgetDead()
  const sessions =
    address === undefined
      ? liveSessions(sessionsFolder())
          .filter(({ isStarted }) => isStarted)
          .reverse()
      : [sessionToObserve(address)]
  if (sessions.length === 0) {
    process.stdout.write('No cluster is running.\n')
    return
  }
  for (const session of sessions) {
    if (!session.isStarted) {
      throw new SessionError(
        `The session ${session.sessionName} belongs to the program that started it, ` +
          `and ends with that.`,
      )
    }
    const isForced = await stopSession(session)
    const how = isForced ? 'was killed, as it did not end by itself' : 'has ended'
    process.stdout.write(`The session ${session.sessionName} ${how}.\n`)
  }
}

/** A cluster that was killed is not found any more, and its token is gone from the disk. */
function forgetDead(): void {
  for (const { isStarted, sessionDir, sessionName } of deadSessions(sessionsFolder())) {
    retireSession(sessionDir)
    if (isStarted) process.stdout.write(`The session ${sessionName} was dead already.\n`)
  }
}
