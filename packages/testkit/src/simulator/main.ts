/** `npm run simulate -- --seeds 2000 --from 1`: runs seeds; `--story 17` tells one of them. */
import { parseArgs } from 'node:util'
import { planOf } from './plan.ts'
import { runSeeds } from './run-seeds.ts'
import { shrink } from './shrink.ts'
import { runWorld } from './world.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    failures: { type: 'string', default: '10' },
    story: { type: 'string' },
  },
})

if (values.story !== undefined) {
  const { story, findings, figures, digest } = await runWorld(planOf(Number(values.story)), {
    withStory: true,
    withDigest: true,
  })
  for (const line of story) console.log(line)
  console.log(findings.length === 0 ? 'All is well.' : findings.join('\n'))
  console.log(figures, digest)
  process.exitCode = findings.length === 0 ? 0 : 1
} else {
  const { seeds, failed, figures, seconds } = await runSeeds({
    from: Number(values.from),
    count: Number(values.seeds),
    maxFailures: Number(values.failures),
  })
  for (const { seed, findings } of failed) {
    console.log(
      `seed ${seed}:\n${findings
        .slice(0, 6)
        .map((sentence) => `    ${sentence.slice(0, 600)}`)
        .join('\n')}`,
    )
  }
  const [first] = failed
  if (first) {
    const plan = await shrink(planOf(first.seed), async (smaller) => (await runWorld(smaller)).findings.length > 0)
    const { story, findings } = await runWorld(plan, { withStory: true })
    console.log(`\nseed ${first.seed}, in ${plan.steps.length} steps:\n${[...story, ...findings].join('\n')}\n`)
  }
  console.log({ seeds, failed: failed.length, perSecond: Math.round(seeds / seconds), ...figures })
  process.exitCode = failed.length === 0 ? 0 : 1
}
process.exit()
