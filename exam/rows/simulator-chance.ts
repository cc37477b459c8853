import { type Campaign, runReceipts, runSeeds, runSeedsApart, tearDisks } from '@parley/testkit/simulator'
import { judge, type Row, type RowContext, type RowResult } from '../row.ts'

const QUICK_SEEDS = 2_000
const NIGHT_SEEDS = 100_000
/** Seeds are told one by one when they fail; `npm run simulate -- --story <seed>` tells the whole of one. */
const MAX_FAILURES = 5

function verdictOn({ seeds, failed, figures, seconds }: Campaign, wanted: number): RowResult {
  const bites = figures.cuts + figures.serverCrashes + figures.deviceCrashes + figures.commitsRefused
  const sentences = failed.flatMap(({ seed, findings }) => findings.slice(0, 3).map((one) => `seed ${seed}: ${one}`))
  return judge({
    bites,
    figures: {
      seeds,
      perSecond: Math.round(seeds / seconds),
      operations: figures.operations,
      acknowledged: figures.acknowledged,
      frames: figures.frames,
      cuts: figures.cuts,
      serverCrashes: figures.serverCrashes,
      commitsLostAtCrash: figures.commitsLost,
      commitsKeptUnheard: figures.commitsKept,
      deviceCrashes: figures.deviceCrashes,
      deviceWritesLost: figures.deviceWritesLost,
      tabsStolenFrom: figures.tabsStolenFrom,
      tabWritesFenced: figures.tabWritesFenced,
      slowestRestMs: figures.restMs,
    },
    holds: {
      [`${wanted} seeds were run`]: seeds === wanted || failed.length > 0,
      'commits were lost with the server, and writes with devices': figures.commitsLost * figures.deviceWritesLost > 0,
      ...Object.fromEntries(sentences.map((sentence) => [sentence, false])),
    },
  })
}

const PROCESSES = 2

async function nightOfWorlds({ seed, signal }: RowContext): Promise<RowResult> {
  const from = NIGHT_SEEDS + seed * NIGHT_SEEDS
  const onFailure = (failed: number, story: readonly string[]) =>
    console.log(`seed ${failed}:\n${story.map((line) => `    ${line}`).join('\n')}`)
  const of = { from, count: NIGHT_SEEDS, processes: PROCESSES, maxFailures: MAX_FAILURES, signal, onFailure }
  return verdictOn(await runSeedsApart(of), NIGHT_SEEDS)
}

const receipts = (steps: number) => async (context: RowContext) => {
  const { comparisons, operations, findings } = runReceipts({ seed: context.seed, steps })
  return judge({
    bites: operations,
    figures: { steps, comparisons },
    holds: Object.fromEntries(findings.map((finding) => [finding, false])),
  })
}

export const rows: readonly Row[] = [
  {
    id: 15,
    tier: 'n',
    title: 'a disk that loses what was not flushed and tears what was being written, at 10,000 crashes',
    limitMs: 600_000,
    async run(context) {
      const { crashes, acknowledged, kept, gone, findings } = await tearDisks({
        seed: context.seed,
        crashes: 10_000,
        signal: context.signal,
      })
      return judge({
        bites: gone,
        figures: { crashes, acknowledged, kept, gone, lost: findings.length },
        holds: {
          '10,000 crashes were survived': crashes === 10_000,
          ...Object.fromEntries(findings.map((finding) => [finding, false])),
        },
      })
    },
  },
  {
    id: 73,
    tier: 'q',
    title: 'chance from a seed: people, devices, cuts, crashes, refusals, in 2,000 worlds',
    limitMs: 100_000,
    run: async ({ signal }) =>
      verdictOn(await runSeeds({ from: 1, count: QUICK_SEEDS, maxFailures: MAX_FAILURES, signal }), QUICK_SEEDS),
  },
  {
    id: 73,
    tier: 'n',
    title: 'chance from a seed: people, devices, cuts, crashes, refusals, in 100,000 worlds nobody has seen',
    // Some twelve minutes on two processors that have nothing else to do.
    limitMs: 3_600_000,
    run: nightOfWorlds,
  },
  {
    id: 73,
    tier: 'q',
    title: 'unread and receipts against sets of numbers, on five devices',
    run: receipts(60_000),
  },
  {
    id: 73,
    tier: 'n',
    title: 'unread and receipts against sets of numbers, on five devices, a million steps',
    run: receipts(1_000_000),
  },
]
