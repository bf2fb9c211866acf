#!/usr/bin/env node
// The command line. Commands load what they need when they run: `typeray --help` must not wait for
// a client of the cluster to load.

import { readFileSync } from 'node:fs'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'

function version(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

const program = new Command('typeray')
  .description('Ray for TypeScript: start, stop and look into clusters on this machine.')
  .version(version(), '-v, --version', 'the version of the package')
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
  .description('start a node that outlives the programs which use it: a head, or one that joins it')
  .option('--head', 'start the first node of a cluster')
  .option('--address <host:port>', 'join the cluster whose head is there')
  .option('--node-ip-address <ip>', 'where other machines reach this one; 127.0.0.1 for a head')
  .option('--port <port>', 'where this node listens; 6379 for a head, if that is free', count)
  .option('--token-file <file>', "the cluster's token; see typeray token")
  .option(
    '--storage <where>',
    'tables of a head: lmdb, redis://host:port/db?namespace=n, or memory',
  )
  .option('--num-cpus <number>', 'CPUs that tasks may use; all by default', count)
  .option('--num-gpus <number>', 'GPUs that tasks may use', count)
  .option('--memory <bytes>', 'memory that tasks may ask for', count)
  .option('--object-store-memory <bytes>', 'shared memory for objects', count)
  .option('--resources <json>', 'custom resources, as in \'{"tpu": 2}\'', json)
  .option('--labels <json>', 'labels of the node, as in \'{"zone": "a"}\'', json)
  .option('--spill-folder <path>', 'where objects go that do not fit into memory')
  .option('--temp-dir <path>', 'where the folder of the session is made')
  .option('--block', 'stay until Ctrl-C; the node ends with this process, however that ends')
  .addHelpText(
    'after',
    `
Examples:
  $ typeray start --head
  $ typeray start --head --num-cpus 2 --resources '{"licence": 1}'
  $ typeray start --address 127.0.0.1:6379                     a second node on this machine
  $ typeray start --head --node-ip-address 10.0.0.1            one that other machines can join
  $ typeray start --address 10.0.0.1:6379                      on another machine
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

program
  .command('token')
  .description('the secret that machines need to join a cluster')
  .addArgument(
    new Argument('<what>', 'generate one, or show where it is').choices(['generate', 'show']),
  )
  .option('--file <file>', 'instead of ~/.typeray/token')
  .addHelpText(
    'after',
    `
Every machine of a cluster needs the same token: in ~/.typeray/token, in a file named by
TYPERAY_TOKEN_FILE or --token-file, or in TYPERAY_TOKEN. Whoever has it can run anything there.
To encrypt, with a certificate for each: TYPERAY_TLS_CERT, TYPERAY_TLS_KEY, TYPERAY_TLS_CA.`,
  )
  .action(run(async () => (await import('./token.js')).token))

program
  .command('drain-node')
  .description('let a node finish what runs there, give it nothing new, and end it')
  .argument('<id>', 'id of the node, or its beginning; see typeray list nodes')
  .option('--reason <text>', 'for the logs', 'asked to on the command line')
  .option('--deadline <seconds>', 'when it ends in any case', count, 3600)
  .addOption(address())
  .action(run(async () => (await import('./drain-node.js')).drainNode))

const resources = ['tasks', 'actors', 'objects', 'workers', 'nodes', 'jobs', 'placement-groups']

const format = (): Option =>
  new Option('--format <format>', 'how to print')
    .choices(['table', 'json', 'yaml'])
    .default('table')

const timeout = (): Option =>
  new Option('--timeout <seconds>', 'how long to wait').argParser(count).default(30)

program
  .command('list')
  .description(`list ${resources.join(', ')}`)
  .addArgument(new Argument('<resource>', 'what to list').choices(resources))
  .option('-f, --filter <filter...>', 'key=value or key!=value; all must hold')
  .option('--limit <number>', 'rows, at most', count, 100)
  .option('--detail', 'all columns')
  .addOption(format())
  .addOption(timeout())
  .addOption(address())
  .addHelpText(
    'after',
    `
Examples:
  $ typeray list tasks --filter state=FAILED --detail
  $ typeray list actors --filter className=Counter --filter state!=DEAD
  $ typeray list workers --format json | jq '.[].pid'`,
  )
  .action(run(async () => (await import('./list.js')).list))

program
  .command('get')
  .description('all that is known of one thing')
  .addArgument(new Argument('<resource>', 'what it is').choices(resources))
  .argument('<id>', 'its id')
  .addOption(format())
  .addOption(timeout())
  .addOption(address())
  .action(run(async () => (await import('./list.js')).get))

program
  .command('summary')
  .description('tasks by function, actors by class, or objects, counted by state')
  .addArgument(new Argument('<resource>', 'what to count').choices(['tasks', 'actors', 'objects']))
  .addOption(format())
  .addOption(timeout())
  .addOption(address())
  .action(run(async () => (await import('./summary.js')).summary))

program
  .command('memory')
  .description('objects by owner: size, who holds them and why; and the state of the store')
  .option('--sort-by <column>', 'a column of list objects', 'objectSize')
  .addOption(timeout())
  .addOption(address())
  .action(run(async () => (await import('./memory.js')).memory))

program
  .command('timeline')
  .description('write what ran when, for chrome://tracing or ui.perfetto.dev')
  .option('--output <file>', 'where to', 'typeray-timeline.json')
  .addOption(timeout())
  .addOption(address())
  .action(run(async () => (await import('./timeline.js')).timeline))

program
  .command('logs')
  .description('list the log files of a session, or print some')
  .argument('[glob]', 'files to print, as in worker-*.err')
  .option('--worker <id>', 'those of a worker')
  .option('--actor <id>', 'those of the worker of an actor')
  .option('--task <id>', 'those of the worker that ran a task')
  .option('--err', 'stderr only')
  .option('--tail <lines>', 'the last lines only', count)
  .addOption(address())
  .addHelpText(
    'after',
    `
Examples:
  $ typeray logs                          what there is
  $ typeray logs --actor 7d1a... --tail 20
  $ typeray logs 'worker-*.err'`,
  )
  .action(run(async () => (await import('./logs.js')).logs))

program
  .command('microbenchmark')
  .description('how many tasks, calls and puts a second, under the names of ray microbenchmark')
  .option('--seconds <seconds>', 'for each', count, 1)
  .option('--num-cpus <number>', 'of the cluster that is started for it', count)
  .action(run(async () => (await import('./microbenchmark.js')).microbenchmark))

program.parseAsync().catch(fail)
