// Gives other nodes the bytes of objects: of those in the store, and of those on their way here as
// far as they have come.

import { read } from 'node:fs'
import type { ProcessId } from '../../base/ids.js'
import { transferChunkBytesMax } from '../../base/limits.js'
import type { Location, ObjectKey } from '../../wire/messages/terms.js'
import type { StoreService } from '../store-service.js'
import type { BulkConnection } from './bulk-connection.js'
import type { BulkHead } from './bulk-frame.js'
import type { IncomingObject } from './incoming-object.js'

export interface SenderPorts {
  readonly store: StoreService
  /** In whose name objects are pinned. */
  readonly self: ProcessId
  readonly incoming: (object: ObjectKey) => IncomingObject | undefined
}

export class ObjectSender {
  readonly #ports: SenderPorts

  constructor(ports: SenderPorts) {
    this.#ports = ports
  }

  asked(head: BulkHead, connection: BulkConnection): void {
    const { store, self, incoming } = this.#ports
    const { object } = head
    if (head.length === 0 || head.length > transferChunkBytesMax) {
      return connection.refuseAll(`it asks for ${head.length} bytes at once`)
    }
    const location = store.pin(self, object)
    if (location !== undefined) {
      return this.#give(connection, head, { location, done: () => store.unpin(self, object) })
    }
    const coming = incoming(object)
    if (coming === undefined) return connection.refuse(head, 'missing')
    return coming.whenHere(head, (isHere) => {
      const room = coming.room
      if (!isHere || room === undefined) return connection.refuse(head, 'unable')
      return this.#give(connection, head, { location: room.location, done: coming.hold() })
    })
  }

  #give(
    connection: BulkConnection,
    head: BulkHead,
    { location, done }: { location: Location; done: () => void },
  ): void {
    const { store } = this.#ports
    const { offset, length } = head
    if (offset + length > location.sizeBytes) {
      done()
      return connection.refuse(head, 'missing')
    }
    const start = location.offset + offset
    if (location.file === store.arenaFile) {
      const views: Uint8Array[] = []
      for (let at = 0; at < length; at += views.at(-1)?.length ?? length) {
        views.push(store.memory.view(start + at, length - at))
      }
      return connection.give(head, { views, done })
    }
    // From a file, whose pages may have to come from the disk: not on the event loop.
    const bytes = Buffer.allocUnsafeSlow(length)
    return readAll(location.file, bytes, start, (isRead) => {
      if (isRead) connection.give(head, { views: [bytes], done: () => undefined })
      else connection.refuse(head, 'unable')
      done()
    })
  }
}

function readAll(
  fd: number,
  bytes: Uint8Array,
  position: number,
  done: (isRead: boolean) => void,
): void {
  read(fd, bytes, 0, bytes.length, position, (error, count) => {
    if (error !== null || count === 0) done(false)
    else if (count === bytes.length) done(true)
    else readAll(fd, bytes.subarray(count), position + count, done)
  })
}
