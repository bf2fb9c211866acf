// The remote functions and classes of the rows: the same work as in Ray's microbenchmark, which
// returns a small value everywhere. They are exports of a module, so workers import them.
import * as ray from 'typeray'

const small = 'ok'

export function smallValue(): string {
  return small
}
export const smallTask = ray.remote(smallValue)

export function incremented(number: number): number {
  return number + 1
}

export function sumWith(number: number, options: { a: number }): number {
  return number + options.a
}

/** Keeps a core busy; the time of the call itself is not part of it. */
export function busy(microseconds: number): void {
  const untilMs = performance.now() + microseconds / 1000
  while (performance.now() < untilMs);
}

/** Keeps a worker for long enough that a second one is needed, and says which it was. */
export function processIdAfter(milliseconds: number): number {
  busy(milliseconds * 1000)
  return process.pid
}

export function put100Small(): void {
  for (let i = 0; i < 100; i++) ray.put(0)
}

export function put10Times80Mb(): void {
  for (let i = 0; i < 10; i++) ray.put(new Float64Array(10 * 1024 * 1024)).free()
}

export function tenThousandRefs(): ray.ObjectRef<number>[] {
  return Array.from({ length: 10_000 }, () => ray.put(1))
}

export function* countTo(n: number): Generator<number> {
  for (let i = 0; i < n; i++) yield i
}

export function sumOfLists(...lists: readonly number[][]): number {
  let sum = 0
  for (const list of lists) for (const item of list) sum += item
  return sum
}

export function returnLists(count: number, items: number): number[][] {
  return Array.from({ length: count }, () => {
    const list = new Array<number>(items)
    for (let i = 0; i < items; i++) list[i] = i
    return list
  })
}

export class Server {
  smallValue(): string {
    return small
  }

  smallValueArg(_argument: number): string {
    return small
  }

  async smallTaskBatch(n: number): Promise<void> {
    await ray.get(Array.from({ length: n }, () => smallTask.remote()))
  }
}

export class AsyncServer {
  async smallValue(): Promise<string> {
    return small
  }

  async smallValueArg(_argument: number): Promise<string> {
    return small
  }
}

/** Anything whose small value can be asked for: the rows are the same for both kinds of actor. */
export type ServerHandle = ray.ActorHandle<Server> | ray.ActorHandle<AsyncServer>

export class Client {
  readonly #servers: readonly ServerHandle[]

  constructor(servers: readonly ServerHandle[]) {
    this.#servers = servers
  }

  async callEach(n: number): Promise<void> {
    const refs = this.#servers.flatMap((server) =>
      Array.from({ length: n }, () => server.smallValue.remote()),
    )
    await ray.get(refs)
  }

  async callEachWithRef(n: number): Promise<void> {
    const argument = ray.put(0)
    const refs = this.#servers.flatMap((server) =>
      Array.from({ length: n }, () => server.smallValueArg.remote(argument)),
    )
    await ray.get(refs)
  }
}

export async function callInTurn(servers: readonly ServerHandle[], n: number): Promise<void> {
  const refs: ray.ObjectRef<string>[] = []
  for (let i = 0; i < n; i++) {
    const server = servers[i % servers.length]
    if (server !== undefined) refs.push(server.smallValue.remote())
  }
  await ray.get(refs)
}
