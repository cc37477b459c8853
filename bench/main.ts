/**
 * `npm run bench`: Parley beside the minimal reference and beside what the machine can do, in turns, each on a fresh
 * server with an empty store. Figures of different runs do not compare on a busy machine; the ratios of one run do.
 *
 *     npm run bench                              everything, three rounds
 *     npm run bench -- --only B,raw --rounds 1   some scenarios, by their letter or a word of their title
 *     npm run bench -- --quick                   small numbers, to see that it works
 *     npm run bench -- --profile                 and where the server's time and memory went
 *     npm run bench -- --write                   and the table in docs/performance.md anew
 */
import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { stopPostgres } from './engines/postgres.ts'
import { writeDocument } from './figures/document.ts'
import { writeJson } from './figures/json.ts'
import { machineTable, resultTable } from './figures/report.ts'
import { measureMachine } from './limits/machine.ts'
import { scenarios } from './scenarios/index.ts'
import type { Run } from './scenarios/run.ts'
import type { Sample, Scenario } from './scenarios/scenario.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    servers: { type: 'string', default: 'reference,parley' },
    json: { type: 'string', default: 'artifacts/bench.json' },
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const isQuick = values.quick
const rounds = Number(values.rounds ?? (isQuick ? 1 : 3))
const profiles = values.profile ? 'artifacts/profiles' : undefined
if (profiles) mkdirSync(profiles, { recursive: true })
const settings = { seconds: Number(values.seconds ?? (isQuick ? 0.5 : 4)), isQuick, profiles }
const only = values.only?.toUpperCase().split(',')
const wanted = scenarios
  .filter(({ isVariant }) => !(isQuick && isVariant))
  .filter(
    ({ id, title }) =>
      !only || only.some((name) => name === id || (name.length > 1 && title.toUpperCase().includes(name))),
  )

/** Every other turn the other way round, so that none is always the one that comes after the other. */
const inTurns = ({ servers, turns = 1 }: Scenario) =>
  Array.from({ length: isQuick ? 1 : turns }, (_, turn) => (turn % 2 === 0 ? servers : [...servers].reverse())).flat()

const runs: Run[] = []
const machine: Sample[] = []
const say = (line: string) => process.stderr.write(`${line}\n`)
for (let round = 1; round <= rounds; round++) {
  for (const scenario of wanted) {
    for (const server of inTurns(scenario)) {
      if (!values.servers.split(',').includes(server)) continue
      const sample = await scenario.measure(server, settings)
      runs.push({ scenario, server, round, sample })
      const [first] = scenario.figures
      const figure = sample[first!.name]!.toFixed(first!.digits ?? 0)
      say(`round ${round} of ${rounds}  ${scenario.id}  ${scenario.title}  ${server}: ${figure} ${first!.title}`)
    }
  }
  for (const scenario of wanted) await scenario.end?.()
  if (!only || only.includes('LIMITS')) {
    machine.push(await measureMachine(settings))
    say(`round ${round} of ${rounds}  limits of the machine`)
  }
}
await stopPostgres()

const table = resultTable(runs)
console.log(`${table.text}\n`)
if (machine.length > 0) console.log(`${machineTable(machine).text}\n`)
writeJson(values.json, { runs, machine, rounds, settings })
say(`Written to ${values.json}.`)
if (values.write) writeDocument({ runs, machine, rounds, settings })
const lost = runs.filter(({ sample }) => (sample.lost ?? 0) > 0)
for (const { scenario, server, sample } of lost) console.log(`LOST: ${sample.lost} of ${scenario.title}, ${server}`)
console.log(`${table.held} limits hold, ${table.broken} do not${lost.length > 0 ? ', and something was lost' : ''}`)
process.exitCode = lost.length > 0 ? 1 : 0
