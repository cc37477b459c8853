import { tearDisks } from '@parley/testkit/simulator'
import { expect, it } from 'vitest'

it('P1 a disk that tears at a crash loses nothing acknowledged, and no commit is half there', async () => {
  const outcome = await tearDisks({ seed: 1, crashes: 60 })
  expect(outcome.findings).toEqual([])
  expect(outcome.crashes).toBe(60)
  expect(outcome.kept).toBeGreaterThan(0)
  expect(outcome.gone).toBeGreaterThan(0)
})

it('P1 a disk that forgets what was flushed is noticed', async () => {
  const { findings } = await tearDisks({ seed: 1, crashes: 60, forgottenBytes: 60_000 })
  expect(findings.length).toBeGreaterThan(0)
})
