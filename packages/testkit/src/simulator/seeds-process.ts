/** A process that runs seeds for `run-seeds-apart.ts`, and tells the story of those that fail, in few steps. */
import { planOf } from './plan.ts'
import { runSeeds } from './run-seeds.ts'
import { shrink } from './shrink.ts'
import { runWorld } from './world.ts'

const fails = async (plan: ReturnType<typeof planOf>) => (await runWorld(plan)).findings.length > 0

async function storyOf(seed: number): Promise<[number, string[]]> {
  const plan = await shrink(planOf(seed), fails)
  const { story, findings } = await runWorld(plan, { withStory: true })
  return [seed, [...story, ...findings]]
}

process.once('disconnect', () => process.exit())
process.on('message', async (order: { readonly from: number; readonly count: number }) => {
  const campaign = await runSeeds({ ...order, maxFailures: 5 })
  const stories = []
  for (const { seed } of campaign.failed.slice(0, 1)) stories.push(await storyOf(seed))
  process.send?.({ campaign, stories })
})
