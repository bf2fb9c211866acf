// Tables in Redis: they survive the machine of the head.
//
// Each table is a hash, `typeray:<namespace>:<table>`. A batch is one script, which Redis runs
// whole or not at all. The script also compares a number that every GCS raises when it opens the
// tables: a head that was thought dead and writes after its successor has opened them is refused,
// and ends.
//
// While Redis is away, a batch waits and is sent again: setting a row twice is setting it once. The
// outbox hands over one batch at a time, so the order of batches is kept.

import type { Redis } from 'ioredis'
import { systemClock } from '../../base/clock.js'
import { SessionError } from '../../base/errors.js'
import { redisConnectMs, redisRetryMsMax } from '../../base/limits.js'
import type { GcsStorage, StorageChange, StorageRow, StorageTable } from './gcs-storage.js'
import { StorageTakenError } from './storage-taken-error.js'

const taken = 'TYPERAY_TAKEN'

/** KEYS: the number, then the table of each change. ARGV: our number, then key, 1 or 0, bytes. */
const writeScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('${taken}') end
for i = 2, #KEYS do
  local at = 2 + (i - 2) * 3
  if ARGV[at + 1] == '1' then redis.call('HSET', KEYS[i], ARGV[at], ARGV[at + 2])
  else redis.call('HDEL', KEYS[i], ARGV[at]) end
end
return 1`

export interface RedisPlace {
  /** Without the namespace; may hold a password. */
  readonly url: string
  readonly namespace: string
}

export class RedisStorage implements GcsStorage {
  readonly #redis: Redis
  readonly #place: RedisPlace
  readonly #epoch: string
  #closing: Promise<void> | undefined

  private constructor(redis: Redis, place: RedisPlace, epoch: string) {
    this.#redis = redis
    this.#place = place
    this.#epoch = epoch
  }

  static async open(place: RedisPlace): Promise<RedisStorage> {
    const redis = await connect(place)
    const epoch = await redis.incr(keyOf(place, 'epoch'))
    return new RedisStorage(redis, place, String(epoch))
  }

  async load(table: StorageTable): Promise<readonly StorageRow[]> {
    const rows = await this.#redis.hgetallBuffer(keyOf(this.#place, table))
    return Object.entries(rows).map(([key, bytes]) => ({ key, bytes: new Uint8Array(bytes) }))
  }

  async read(table: StorageTable, key: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#redis.hgetBuffer(keyOf(this.#place, table), key)
    return bytes === null ? undefined : new Uint8Array(bytes)
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    const keys = changes.map(({ table }) => keyOf(this.#place, table))
    const values = changes.flatMap(({ key, bytes }) =>
      bytes === undefined ? [key, '0', ''] : [key, '1', Buffer.from(bytes)],
    )
    try {
      const all = [keyOf(this.#place, 'epoch'), ...keys, this.#epoch, ...values]
      await this.#redis.call('EVAL', [writeScript, keys.length + 1, ...all])
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes(taken)) throw error
      throw new StorageTakenError(nameOf(this.#place))
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#redis.quit().then(
      () => undefined,
      () => this.#redis.disconnect(),
    )
    return this.#closing
  }
}

/** Rejects at once when it cannot be reached at the start; later on it tries for ever. */
async function connect(place: RedisPlace): Promise<Redis> {
  const { Redis } = await import('ioredis')
  const redis = new Redis(place.url, {
    lazyConnect: true,
    connectTimeout: redisConnectMs,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(times * 50, redisRetryMsMax),
  })
  let lastError: unknown
  redis.on('error', (error: unknown) => {
    lastError = error
  })
  let cancel = (): void => {}
  const late = new Promise<never>((_resolve, reject) => {
    cancel = systemClock.timer(redisConnectMs, () => reject(unreachable(place, lastError)))
  })
  try {
    await Promise.race([redis.connect().then(() => redis.ping()), late])
    return redis
  } catch (error) {
    redis.disconnect()
    throw error instanceof SessionError ? error : unreachable(place, lastError ?? error)
  } finally {
    cancel()
  }
}

function unreachable(place: RedisPlace, cause: unknown): SessionError {
  const why = cause instanceof Error ? cause.message : 'nobody answers'
  return new SessionError(
    `The Redis server at ${nameOf(place)} cannot be used: ${why}. Is it running, and are the ` +
      `address and password of --storage right?`,
    { cause },
  )
}

const keyOf = ({ namespace }: RedisPlace, name: string): string => `typeray:${namespace}:${name}`

/** Without the password. */
function nameOf({ url, namespace }: RedisPlace): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname} (namespace ${namespace})`
}
