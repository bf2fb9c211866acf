// What the tables of the GCS ask for. Everything they do to the world is a message to a raylet.

import type { FromGcs } from '../wire/messages/gcs.js'

export interface Send {
  readonly kind: 'send'
  readonly nodeId: string
  readonly message: FromGcs
}

export function send(nodeId: string, message: FromGcs): Send {
  return { kind: 'send', nodeId, message }
}
