// Runs one seed and shows every event: node dist/test/simulation/main.js 123 [nodes]
// Or many, with a line for each and their sum in the end: node dist/test/simulation/main.js 1-500

import { type SimulationSummary, Simulator } from '../../src/testing/simulation/simulator.js'

const [seeds = '1', nodes] = process.argv.slice(2)
const [first = 1, last = first] = seeds.split('-').map(Number)
const isQuiet = process.env['QUIET'] === '1' || last > first

const simulate = (seed: number): SimulationSummary | undefined => {
  const simulator = new Simulator({
    seed,
    ...(nodes === undefined ? {} : { nodes: Number(nodes) }),
    ...(isQuiet ? {} : { watch: (line: string) => console.log(line) }),
  })
  try {
    return simulator.run()
  } catch (error) {
    console.error(`seed ${seed} failed`)
    console.error(error)
    process.exitCode = 1
    return undefined
  }
}

/** Adds up the numbers of a summary, at any depth. */
const sums = new Map<string, number>()
const add = (part: object, prefix = ''): void => {
  for (const [name, value] of Object.entries(part)) {
    if (typeof value === 'number') sums.set(prefix + name, (sums.get(prefix + name) ?? 0) + value)
    else if (typeof value === 'object' && value !== null) add(value as object, `${prefix}${name}.`)
  }
}

for (let seed = first; seed <= last; seed++) {
  const started = performance.now()
  const summary = simulate(seed)
  const ms = Math.round(performance.now() - started)
  if (summary === undefined) continue
  add(summary)
  const { hash, events } = summary
  if (last === first) console.log(`${JSON.stringify(summary, undefined, 2)}\n${ms} ms`)
  else console.log(`seed ${seed}: ${events} events, hash ${hash}, ${ms} ms`)
}
if (last > first) console.log(JSON.stringify(Object.fromEntries(sums), undefined, 2))
