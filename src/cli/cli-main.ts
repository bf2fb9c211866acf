#!/usr/bin/env node
// The command line. Commands load what they need when they run: `typeray --help` must not wait for
// a client of the cluster to load.

import { Command, InvalidArgumentError, Option } from 'commander'

const program = new Command('typeray')
  .description('Ray for TypeScript: start, stop and look into clusters on this machine.')
  .helpCommand(false)
  .showHelpAfterError('(typeray --help says what there is)')
  .addHelpText(
    'after',
    `
Examples:
  $ typeray start --head --num-cpus 4    a cluster that programs join with ray.init()
  $ typeray status                       its nodes, and what is in use
  $ typeray list actors --filter state=ALIVE
  $ typeray summary tasks
  $ typeray stop

Every command that asks finds the cluster by --address, by TYPERAY_ADDRESS, or takes the one
that 'typeray start --head' started last, or the only session that runs.`,
  )

const address = (): Option =>
  new Option('--address <address>', 'the session to ask; see typeray --help')

const count = (text: string): number => {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError('It must be a number of zero or more.')
  }
  return value
}

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidArgumentError('It must be JSON, as in \'{"tpu": 2}\'.')
  }
}

/** One line for what went wrong; the stack is of no use to whoever typed a command. */
function fail(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`typeray: ${text}\n`)
  process.exit(1)
}

type Action<Args extends unknown[]> = (...args: Args) => Promise<void>

/** Runs the command and ends the process with its code. */
const run =
  <Args extends unknown[]>(load: () => Promise<Action<Args>>) =>
  async (...args: Args): Promise<void> => {
    try {
      const action = await load()
      await action(...args)
    } catch (error) {
      fail(error)
    }
  }

program
  .command('start')
  .description('start a cluster on this machine that outlives the programs which use it')
  .option('--head', 'start the first node of a cluster (this must be said)')
  .option('--num-cpus <number>', 'CPUs that tasks may use; all by default', count)
  .option('--num-gpus <number>', 'GPUs that tasks may use', count)
  .option('--memory <bytes>', 'memory that tasks may ask for', count)
  .option('--object-store-memory <bytes>', 'shared memory for objects', count)
  .option('--resources <json>', 'custom resources, as in \'{"tpu": 2}\'', json)
  .option('--labels <json>', 'labels of the node, as in \'{"zone": "a"}\'', json)
  .option('--spill-folder <path>', 'where objects go that do not fit into memory')
  .option('--temp-dir <path>', 'where the folder of the session is made')
  .option('--block', 'stay until Ctrl-C; the cluster ends with this process, however that ends')
  .addHelpText(
    'after',
    `
Examples:
  $ typeray start --head
  $ typeray start --head --num-cpus 2 --resources '{"licence": 1}'
  $ typeray start --head --block          under a service manager`,
  )
  .action(run(async () => (await import('./start.js')).start))

program
  .command('stop')
  .description("end the clusters that 'typeray start' has started, and all that runs there")
  .addOption(address())
  .action(run(async () => (await import('./stop.js')).stop))

program
  .command('status')
  .description('nodes, resources in use, jobs, workers and the object store')
  .addOption(address())
  .action(run(async () => (await import('./status.js')).status))

program.parseAsync().catch(fail)
