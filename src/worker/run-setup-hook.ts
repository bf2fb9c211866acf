// Runs the setup hook of a worker: once, before its first task or its actor.

import { systemClock } from '../base/clock.js'
import { RuntimeEnvSetupError } from '../base/errors.js'
import { describeThrown } from '../base/thrown.js'
import type { SetupHook } from '../wire/messages/terms.js'
import type { CoreWorker } from './core-worker.js'

/** @throws RuntimeEnvSetupError whose cause is what the hook threw. */
export async function runSetupHook(
  core: CoreWorker,
  { hook, timeoutMs }: SetupHook,
): Promise<void> {
  let cancel = (): void => undefined
  const late = new Promise<never>((_, reject) => {
    cancel = systemClock.timer(timeoutMs, () => {
      reject(
        new RuntimeEnvSetupError(
          `The setup hook of runtimeEnv has not returned within ${timeoutMs} ms in worker ` +
            `${process.pid}. Do less in it, or raise setupTimeoutMs.`,
          { fields: { pid: process.pid } },
        ),
      )
    })
  })
  const run = async (): Promise<void> => {
    const fn = (await core.functions.load(hook)) as unknown as () => unknown
    await fn()
  }
  try {
    await Promise.race([run(), late])
  } catch (error) {
    if (error instanceof RuntimeEnvSetupError) throw error
    throw new RuntimeEnvSetupError(
      `The setup hook of runtimeEnv failed in worker ${process.pid}: ${describeThrown(error)}`,
      { cause: error, fields: { pid: process.pid } },
    )
  } finally {
    cancel()
  }
}
