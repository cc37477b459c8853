import { describe, expect, it } from 'vitest'
import { challengeAt } from './challenge-time.ts'

describe('AUTH-31 when a session is challenged', () => {
  it.each([
    ['a year', 31_536_000, 300],
    ['two weeks', 1_209_600, 300],
    ['an hour', 3_600, 300],
    ['ten minutes', 600, 180],
    ['half a minute', 30, 9],
    ['a second', 1, 0.3],
  ])('a session of %s: %d s long, %d s before its end', (_, seconds, lead) => {
    expect(challengeAt({ expiresAt: 1_000_000 + seconds * 1000 }, 1_000_000)).toBe(1_000_000 + (seconds - lead) * 1000)
  })
})
