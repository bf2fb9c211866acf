// Runs one seed and shows every event: node dist/test/simulation/main.js 123 [nodes]

import { Simulator } from '../../src/testing/simulation/simulator.js'

const [seed = '1', nodes] = process.argv.slice(2)
const isQuiet = process.env['QUIET'] === '1'
const started = performance.now()
const simulator = new Simulator({
  seed: Number(seed),
  ...(nodes === undefined ? {} : { nodes: Number(nodes) }),
  ...(isQuiet ? {} : { watch: (line: string) => console.log(line) }),
})
try {
  const summary = simulator.run()
  console.log(JSON.stringify(summary, undefined, 2))
} catch (error) {
  console.error(`seed ${seed} failed`)
  console.error(error)
  process.exitCode = 1
}
console.log(`${Math.round(performance.now() - started)} ms`)
