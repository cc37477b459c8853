/**
 * `npm run bench:soak`: ten minutes of mixed load at half of what the server can do; memory and handles have to stay
 * level. What is judged is the slope after the first quarter, in which caches fill.
 *
 *     npm run bench:soak -- --minutes 60
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { slope } from './figures/statistics.ts'
import type { SoakCounts, SoakInput } from './load/soak.ts'
import { Load } from './load/start-load.ts'
import { pause } from './load/task.ts'
import { Server } from './servers/start-server.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    pairs: { type: 'string', default: '100' },
    every: { type: 'string', default: '30' },
    json: { type: 'string', default: 'artifacts/soak.json' },
  },
})

interface Look {
  readonly minute: number
  readonly residentMiB: number
  /** After a garbage collection. */
  readonly heapMiB: number
  readonly openFiles: number
  /** Those that would keep the process alive. */
  readonly timers: number
  readonly cores: number
}

/** How much each may rise in a minute and still be called level. */
const LEVEL = { residentMiB: 4, heapMiB: 1, openFiles: 1, timers: 1 } as const

const everyMs = Number(values.every) * 1000
const minutes = Number(values.minutes)
const server = await Server.start('parley')
const looks: Look[] = []
try {
  const pairs = Number(values.pairs)
  const load = new Load('soak', { ready: server.ready, pairs, capacityMs: 4_000 } satisfies SoakInput)
  const { capacityPerSecond } = await load.next<{ capacityPerSecond: number }>()
  console.log(`It can do ${Math.round(capacityPerSecond)} operations/s; half of that for ${minutes} minutes.\n`)
  console.log('minute   rss MiB  heap MiB  files  timers  cores')
  const from = performance.now()
  while (performance.now() - from < minutes * 60_000) {
    const before = server.cpuSeconds
    await pause(Math.min(everyMs, minutes * 60_000 - (performance.now() - from)))
    looks.push(await look((performance.now() - from) / 60_000, (server.cpuSeconds - before) / (everyMs / 1000)))
  }
  load.say('stop')
  const counts = await load.next<SoakCounts>()
  await load.close()
  judge(counts)
} finally {
  await server.close()
}

async function look(minute: number, cores: number): Promise<Look> {
  const active = await server.active()
  const { heapUsed } = await server.settle()
  const seen = {
    minute,
    residentMiB: server.residentMiB,
    heapMiB: heapUsed / 2 ** 20,
    openFiles: server.openFiles,
    timers: active.filter((kind) => kind === 'Timeout').length,
    cores,
  }
  const cells = [
    seen.minute.toFixed(1),
    seen.residentMiB.toFixed(1),
    seen.heapMiB.toFixed(1),
    seen.openFiles,
    seen.timers,
  ]
  const widths = [6, 10, 10, 7, 8]
  console.log(`${cells.map((cell, i) => String(cell).padStart(widths[i]!)).join('')}${cores.toFixed(2).padStart(7)}`)
  return seen
}

function judge(counts: SoakCounts): void {
  const settled = looks.slice(Math.floor(looks.length / 4))
  const rises = (Object.keys(LEVEL) as (keyof typeof LEVEL)[]).map((name) => {
    const perMinute = slope(settled.map((one) => ({ x: one.minute, y: one[name] })))
    return { name, perMinute, isLevel: perMinute <= LEVEL[name] }
  })
  const { acknowledged, refused, reconnects, pages, silent } = counts
  console.log(`\n${acknowledged} acknowledged, ${refused} refused, ${reconnects} reconnected, ${pages} pages read.`)
  for (const { name, perMinute, isLevel } of rises) {
    console.log(
      `${isLevel ? 'yes' : 'NO '}  ${name} is level: ${perMinute.toFixed(2)} a minute, at most ${LEVEL[name]}`,
    )
  }
  console.log(`${silent === 0 ? 'yes' : 'NO '}  nothing went unanswered: ${silent}`)
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, `${JSON.stringify({ looks, rises, counts }, null, 2)}\n`)
  process.exitCode = silent === 0 && rises.every(({ isLevel }) => isLevel) ? 0 : 1
}
