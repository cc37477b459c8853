/**
 * `npm run bench`: 1:1 chat on Parley and on the minimal reference, in turns, each on a fresh server with an empty
 * store. Figures of different runs do not compare on a busy machine; the ratios of one run do.
 *
 *     npm run bench                        the usual table
 *     npm run bench -- --seconds 2 --rounds 1 --users 100
 */
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    users: { type: 'string', default: '2,100,1000' },
    servers: { type: 'string', default: 'reference,parley' },
    json: { type: 'string', default: 'artifacts/bench.json' },
    profile: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const rows = []

for (const users of values.users.split(',').map(Number)) {
  const window = users === 2 ? 1 : 8
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const server of values.servers.split(',')) {
      process.stderr.write(`1:1 chat, ${users} users, window ${window}, round ${round}: ${server} …\n`)
      rows.push({ server, users, window, round, ...(await measure(server, users, window)) })
    }
  }
}
print()
mkdirSync(join(values.json, '..'), { recursive: true })
writeFileSync(
  values.json,
  `${JSON.stringify({ at: new Date().toISOString(), node: process.version, rows }, null, 2)}\n`,
)
process.stderr.write(`Written to ${values.json}.\n`)

async function measure(server, users, window) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  const execArgv = values.profile ? ['--cpu-prof', '--cpu-prof-dir=artifacts/profiles'] : []
  const child = fork(join(here, 'servers', `${server}.mjs`), [folder], { execArgv })
  try {
    const { ready } = await next(child)
    const load = fork(join(here, 'load', 'pairs.mjs'))
    load.send({ server, ready, users, window, warmUpMs: 2_000, measureMs: seconds * 1000 })
    await next(load)
    const before = cpuSeconds(child.pid)
    const result = await next(load)
    const cpu = cpuSeconds(child.pid) - before
    const { lost } = await next(load)
    await new Promise((resolve) => load.once('exit', resolve))
    const { acknowledged, latencies, clientCores } = result
    return {
      acksPerSecond: acknowledged / result.seconds,
      ...latencies,
      cpuSecondsPer100k: (cpu / acknowledged) * 100_000,
      serverCores: cpu / result.seconds,
      clientCores,
      peakMiB: peakMiB(child.pid),
      lost,
    }
  } finally {
    child.kill(values.profile ? 'SIGTERM' : 'SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    rmSync(folder, { recursive: true, force: true })
  }
}

function next(child) {
  return new Promise((resolve, reject) => {
    const exited = (code) => reject(new Error(`A process of the benchmark ended early (${code}).`))
    child.once('exit', exited)
    child.once('message', (message) => {
      child.off('exit', exited)
      resolve(message)
    })
  })
}

/** User and system time of a process, all its threads. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function peakMiB(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
}

function print() {
  const median = (list, of) => {
    const sorted = list.map(of).sort((a, b) => a - b)
    return sorted[sorted.length >> 1]
  }
  const columns = [
    'acksPerSecond',
    'p50',
    'p95',
    'p99',
    'cpuSecondsPer100k',
    'serverCores',
    'clientCores',
    'peakMiB',
    'lost',
  ]
  const titles = [
    'server',
    'users',
    'window',
    'acks/s',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'CPU s/100k',
    'server cores',
    'client cores',
    'peak MiB',
    'lost',
  ]
  const table = []
  for (const users of new Set(rows.map((row) => row.users))) {
    let base
    for (const server of values.servers.split(',')) {
      const mine = rows.filter((row) => row.users === users && row.server === server)
      const figures = columns.map((column) => median(mine, (row) => row[column]))
      table.push([
        server,
        users,
        mine[0].window,
        ...figures.map((figure, i) => figure.toFixed(i === 0 || i > 6 ? 0 : 2)),
      ])
      if (base) {
        table.push([
          '  ratio',
          '',
          '',
          ...figures.slice(0, 5).map((figure, i) => `×${(figure / base[i]).toFixed(2)}`),
          '',
          '',
          '',
          '',
        ])
      } else base = figures
    }
  }
  const widths = titles.map((title, i) => Math.max(title.length, ...table.map((row) => String(row[i]).length)))
  const line = (row) =>
    row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]))).join('  ')
  console.log(line(titles))
  for (const row of table) console.log(line(row))
}
