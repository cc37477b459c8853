import { until } from '@parley/testkit'
import { percentile } from '../checker/percentile.ts'
import { resourcesOf, watched } from '../instruments/resources.ts'
import { Crowd, type CrowdReport, guestsOf } from '../load/crowd.ts'
import type { Manner } from '../load/crowd-member.ts'
import { ExamServer } from '../load/exam-server.ts'
import { now } from '../load/recorder.ts'
import { pause } from '../load/world.ts'
import { judge, type Row, type RowContext } from '../row.ts'

const SOCKETS = 10_000
const PROCESSES = 2
const PEOPLE = 200
const FIRST = 1_000
const LIVE_MS = 60_000
const ANSWERED_P99_MS = 2_000
const LOOP_P99_MS = 250

/** Everybody is connected; the server is killed and comes back; `after` is when it was ready again. */
async function storm(context: RowContext, crowds: readonly { manner: Manner; sockets: number; talk: number }[]) {
  const server = await ExamServer.start(context, { env: watched })
  const guests = await guestsOf(server, PEOPLE)
  const gathered = crowds.map((of) => ({ ...of, crowd: new Crowd(context) }))
  for (const { crowd, sockets, manner } of gathered) {
    crowd.tell({ type: 'open', url: server.websocketUrl, guests, count: sockets, manner })
  }
  const isAll = () => gathered.every(({ crowd, sockets }) => crowd.report.live === sockets)
  await until(isAll, `all are connected (${gathered.map(({ crowd }) => crowd.report.live)})`, 60_000)
  for (const { crowd, talk } of gathered) crowd.tell({ type: 'talk', first: talk })
  const attempts = () => gathered.reduce((sum, { crowd }) => sum + crowd.report.attempts, 0)
  const before = attempts()
  await pause(200)
  await server.kill()
  await until(() => gathered.every(({ crowd }) => crowd.report.live === 0), 'all have noticed')
  await server.start({ env: watched })
  const readyAt = now()
  const resources = resourcesOf(server)
  return {
    server,
    readyAt,
    resources,
    crowds: gathered,
    /** Tries to get in since the server died. */
    attempts: () => attempts() - before,
    /** How late the server's event loop was, by second, since it came back. */
    lags: () => server.process.lines.flatMap((line) => /"loopLagP99Ms":(\d+)/.exec(line)?.[1] ?? []).map(Number),
  }
}

const endings = (reports: readonly CrowdReport[]): string => {
  const sum: Record<string, number> = {}
  for (const { closed } of reports)
    for (const [how, count] of Object.entries(closed)) sum[how] = (sum[how] ?? 0) + count
  return Object.entries(sum)
    .map(([how, count]) => `${how}:${count}`)
    .join('+')
}

export const rows: readonly Row[] = [
  {
    id: 87,
    tier: 'n',
    title: '10,000 sockets are cut at once and come back as the SDK does',
    async run(context) {
      const of = { manner: 'polite' as const, sockets: SOCKETS / PROCESSES, talk: FIRST / PROCESSES }
      const { server, readyAt, crowds, attempts, lags } = await storm(context, Array(PROCESSES).fill(of))
      const live = () => crowds.reduce((sum, { crowd }) => sum + crowd.report.live, 0)
      await until(() => live() === SOCKETS, 'all are back', LIVE_MS * context.slowness).catch(() => undefined)
      const liveMs = Math.round(now() - readyAt)
      const isAnswered = () => crowds.every(({ crowd, talk }) => crowd.report.answered.length === talk)
      await until(isAnswered, 'the first are answered', 20_000).catch(() => undefined)
      const answered = crowds.flatMap(({ crowd }) => crowd.report.answered)
      const p99 = percentile(answered, 0.99)
      return judge({
        bites: SOCKETS,
        figures: {
          live: live(),
          liveMs,
          attempts: attempts(),
          answered: answered.length,
          answeredP99Ms: p99,
          loopLagMs: Math.max(...lags()),
          endings: endings(crowds.map(({ crowd }) => crowd.report)),
        },
        holds: {
          'all were live within a minute': live() === SOCKETS && liveMs <= LIVE_MS * context.slowness,
          'the first thousand were answered, 99 of 100 within 2 s':
            answered.length === FIRST && p99 <= ANSWERED_P99_MS * context.slowness,
          'the server lives': server.process.isRunning,
        },
      })
    },
  },
  {
    id: 88,
    tier: 'n',
    title: '10,000 sockets are cut at once, and nine of ten come back without waiting at all',
    async run(context) {
      const polite = { manner: 'polite' as const, sockets: SOCKETS / 10, talk: FIRST / 2 }
      const rude = { manner: 'rude' as const, sockets: (SOCKETS * 9) / 10, talk: 0 }
      const { server, readyAt, crowds, attempts, lags } = await storm(context, [polite, rude])
      const [calm, wild] = crowds.map(({ crowd }) => crowd)
      const isIn = () => calm!.report.live === polite.sockets
      await until(isIn, 'the polite are back', LIVE_MS * context.slowness).catch(() => undefined)
      const politeMs = Math.round(now() - readyAt)
      const isAllIn = () => wild!.report.live === rude.sockets
      await until(isAllIn, 'the rude are back', 30_000).catch(() => undefined)
      const wildMs = Math.round(now() - readyAt)
      const isAnswered = () => calm!.report.answered.length === polite.talk
      await until(isAnswered, 'those who spoke are answered', 20_000).catch(() => undefined)
      const loopLagMs = Math.max(...lags())
      return judge({
        bites: attempts(),
        figures: {
          polite: calm!.report.live,
          politeMs,
          rude: wild!.report.live,
          wildMs,
          attempts: attempts(),
          loopLagMs,
          answeredP99Ms: percentile(calm!.report.answered, 0.99),
          endings: endings(crowds.map(({ crowd }) => crowd.report)),
        },
        holds: {
          'the polite got in': isIn() && politeMs <= LIVE_MS * context.slowness,
          'and were answered': isAnswered(),
          'the server lives': server.process.isRunning && server.record.unaskedExits.length === 0,
          'its event loop kept up': loopLagMs <= LOOP_P99_MS * context.slowness,
        },
      })
    },
  },
]
