import { mutations, planOf, runSeeds, runWorld, shrink } from '@parley/testkit/simulator'
import { describe, expect, it } from 'vitest'

describe('the simulator', () => {
  it('repeats a seed to the byte', async () => {
    for (const seed of [3, 17, 91]) {
      const [first, second] = [
        await runWorld(planOf(seed), { withDigest: true }),
        await runWorld(planOf(seed), { withDigest: true }),
      ]
      expect(second).toEqual(first)
      expect(first.figures.frames).toBeGreaterThan(10)
    }
    expect((await runWorld(planOf(4), { withDigest: true })).digest).not.toBe(
      (await runWorld(planOf(5), { withDigest: true })).digest,
    )
  })

  it('P1 chance: all replicas equal, nothing lost, nothing twice, nobody reordered, counts right', async () => {
    const { failed, figures } = await runSeeds({ from: 1, count: 100 })
    expect(failed.map(({ seed, findings }) => ({ seed, findings }))).toEqual([])
    for (const name of [
      'cuts',
      'serverCrashes',
      'deviceCrashes',
      'deviceWritesLost',
      'commitsRefused',
      'refused',
    ] as const) {
      expect(figures[name], name).toBeGreaterThan(0)
    }
  })
})

describe('seeds that failed once', () => {
  it.each([
    [7_000_963, 'what is being written as the app is closed is not said to have failed'],
    [760, 'a sign-out that did not happen is taken back before anything new is taken on, though the disk fails'],
    [84_644_203_419, 'a new session that came in the middle of a sign-out is used when that comes to nothing'],
    [7_000_928, 'the same with an operation that waits for the one before'],
    [41_211_607_983, 'a tab that slept hears what became of an owner that thought itself alone'],
    [41_211_609_612, 'a conversation that is looked for while signing out takes the database away'],
    [41_211_623_656, 'an owner whose term could not be written begins anew when there is room'],
    [
      41_211_626_007,
      'what an owner that sleeps may still carry out is not said to have failed before its successor can write',
    ],
    [74_257_934_544, 'what was decided in a term that could not be written is not carried into the next one'],
    [74_257_941_345, 'a message repeated in the batch that deletes its conversation is not sent again'],
    [74_257_980_406, 'who asks what became of an operation as another tab gives it up is told'],
    [2_200_507_748, 'a conversation left, joined again and hidden while a device was away is on that device'],
    [2_200_514_323, 'an owner that is replaced while it reads what is stored never connects'],
    [65_008_061_230, 'a conversation that was found and then deleted does not come back when finding it is repeated'],
    [61_000_001_083, 'a tab that takes over shows what the owner before it wrote last and told nobody'],
  ])('%i: %s', async (seed) => {
    expect((await runWorld(planOf(seed))).findings).toEqual([])
  })
})

describe('a world with one thing broken', () => {
  it.each(Object.entries(mutations))('%s: it is noticed', async (_, mutation) => {
    const { failed } = await runSeeds({ from: 1, count: 200, maxFailures: 1 }, { mutation })
    expect(failed).toHaveLength(1)
  })

  it('is told in as few steps as it takes', async () => {
    const mutation = mutations['the store drops a commit and says nothing']!
    const { failed } = await runSeeds({ from: 1, count: 200, maxFailures: 1 }, { mutation })
    const plan = planOf(failed[0]!.seed)
    const fails = async (one: typeof plan) => (await runWorld(one, { mutation })).findings.length > 0
    const smaller = await shrink(plan, fails, { maxRuns: 40 })
    expect(smaller.steps.length).toBeLessThan(plan.steps.length)
    const { story, findings } = await runWorld(smaller, { mutation, withStory: true })
    expect(findings).not.toEqual([])
    expect(story.some((line) => line.includes('send'))).toBe(true)
  })
})
