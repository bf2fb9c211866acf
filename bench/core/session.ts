// Every row runs in a session of its own, in a process of its own.
import * as ray from 'typeray'
import type { OpenProbe, Probe } from '../probe.js'

export function inSession(open: OpenProbe, options: ray.InitOptions = {}): OpenProbe {
  return async (): Promise<Probe> => {
    await ray.init(options)
    const probe = await open()
    return {
      ...probe,
      close: async () => {
        await probe.close?.()
        await ray.shutdown()
      },
    }
  }
}

/** A row in a session: `prepare` returns the step, of which one does `units` of the row's unit. */
export function rate(units: number, prepare: () => Promise<() => unknown>): OpenProbe {
  return inSession(async () => ({ kind: 'rate', unitsPerStep: units, step: await prepare() }))
}

/** Submits `n` calls in a row and waits for all of them. */
export function batch<T>(n: number, submit: (i: number) => ray.ObjectRef<T>): () => Promise<T[]> {
  return () => {
    const refs = new Array<ray.ObjectRef<T>>(n)
    for (let i = 0; i < n; i++) refs[i] = submit(i)
    return ray.get(refs)
  }
}
