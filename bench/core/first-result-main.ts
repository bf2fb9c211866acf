// A program that runs one task, and prints how long that took from `init` on, in milliseconds.
import * as ray from 'typeray'
import { smallTask } from './work.js'

async function main(): Promise<void> {
  const startedMs = performance.now()
  await ray.init()
  await ray.get(smallTask.remote())
  process.stdout.write(`${performance.now() - startedMs}\n`)
  await ray.shutdown()
}

void main()
