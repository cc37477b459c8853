import { describe, expect, it } from 'vitest'
import { ENOUGH, Gathering, MANY, MAX_WAIT_MS } from './gathering.ts'

/** After a batch was answered at 1,000 ms. */
function after({ batch = 200, waiting = 100, tookMs = 12 }) {
  const gathering = new Gathering()
  gathering.answered(batch, waiting, tookMs, 1_000)
  return gathering
}

describe('the next batch', () => {
  it('waits for nobody as long as none was answered', () => {
    expect(new Gathering().waitMs(1, 0)).toBeLessThanOrEqual(0)
  })

  it('waits for those who were just answered, as long as that took at most', () => {
    expect(after({ tookMs: 12 }).waitMs(100, 1_000)).toBe(12)
    expect(after({ tookMs: 12 }).waitMs(100, 1_004)).toBe(8)
    expect(after({ tookMs: 12 }).waitMs(100, 1_012)).toBeLessThanOrEqual(0)
  })

  it('waits no longer than anybody would notice', () => {
    expect(after({ tookMs: 5_000 }).waitMs(100, 1_000)).toBe(MAX_WAIT_MS)
  })

  it('does not wait once most of them have asked again', () => {
    const gathering = after({ batch: 200, waiting: 100 })
    expect(gathering.enough).toBe(285)
    expect(gathering.waitMs(284, 1_000)).toBeGreaterThan(0)
    expect(gathering.waitMs(285, 1_000)).toBe(0)
  })

  it('does not wait for more than make it cheaper', () => {
    expect(after({ batch: 1_000, waiting: 1_000 }).enough).toBe(ENOUGH)
    expect(after({ batch: 1_000, waiting: 1_000 }).waitMs(ENOUGH, 1_000)).toBe(0)
  })

  it('does not wait where few ask', () => {
    expect(after({ batch: MANY - 1, waiting: 0 }).waitMs(1, 1_000)).toBeLessThanOrEqual(0)
    expect(after({ batch: MANY, waiting: 0 }).waitMs(1, 1_000)).toBeGreaterThan(0)
  })
})
