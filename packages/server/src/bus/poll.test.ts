import { describe, expect, it } from 'vitest'
import {
  HEALTHY_POLL_MS,
  LOSS_GRACE_MS,
  MAX_DEGRADED_POLL_MS,
  MIN_DEGRADED_POLL_MS,
  PollSchedule,
  PollWalk,
} from './poll.ts'

/** When looks begin, until a time, if each takes 20 ms. */
function looks(schedule: PollSchedule, untilMs: number, events: Record<number, () => void> = {}, isComplete = true) {
  const at: number[] = []
  let endsAt: number | undefined
  for (let now = 0; now < untilMs; now++) {
    events[now]?.()
    if (endsAt === now) {
      schedule.ended(now, isComplete)
      endsAt = undefined
    }
    if (schedule.dueAt === undefined || schedule.dueAt > now) continue
    schedule.began()
    at.push(now)
    endsAt = now + 20
  }
  return at
}
const pauses = (times: number[]) => times.slice(1).map((at, i) => at - times[i]!)

describe('the store is looked into', () => {
  it('every one to two seconds while the bus is away, not in step with others', () => {
    let n = 0
    const between = pauses(looks(new PollSchedule(0, () => [0, 0.5, 0.99][n++ % 3]!), 60_000))
    expect(Math.min(...between)).toBeGreaterThanOrEqual(MIN_DEGRADED_POLL_MS)
    expect(Math.max(...between)).toBeLessThanOrEqual(MAX_DEGRADED_POLL_MS + 20)
    expect(new Set(between).size).toBe(3)
  })

  it('every half minute or so while all is well', () => {
    let n = 0
    const schedule = new PollSchedule(0, () => [0, 0.5, 0.99][n++ % 3]!)
    const at = looks(schedule, 200_000, { 0: () => schedule.recovered(0) })
    const between = pauses(at)
    expect(at[0]).toBe(0)
    expect(Math.min(...between)).toBeGreaterThanOrEqual(0.8 * HEALTHY_POLL_MS)
    expect(Math.max(...between)).toBeLessThanOrEqual(1.2 * HEALTHY_POLL_MS + 20)
  })

  it('soon after something was missed, and after the bus was away', () => {
    const schedule = new PollSchedule(0, () => 0.5)
    const at = looks(schedule, 40_000, {
      0: () => schedule.recovered(0),
      5000: () => schedule.missed(5_000),
      9000: () => schedule.degraded(9_000),
      13000: () => schedule.recovered(13_000),
    })
    const healthy = at.filter((time) => time < 9_000 || time > 13_000)
    expect(healthy.slice(0, 3)).toEqual([0, 5_000 + LOSS_GRACE_MS, 13_000 + LOSS_GRACE_MS])
    expect(at.filter((time) => time > 9_000 && time < 13_000).length).toBeGreaterThan(1)
  })

  it('once a second at most, however much is missed', () => {
    const schedule = new PollSchedule(0, () => 0)
    const always = Object.fromEntries(Array.from({ length: 20_000 }, (_, now) => [now, () => schedule.missed(now)]))
    const between = pauses(looks(schedule, 20_000, { ...always, 0: () => schedule.recovered(0) }))
    expect(Math.min(...between)).toBeGreaterThanOrEqual(MIN_DEGRADED_POLL_MS)
  })

  it('again if something was missed while it was looked, or the look failed', () => {
    const missed = new PollSchedule(0, () => 0.5)
    const events = { 0: () => missed.recovered(0), 10: () => missed.missed(10) }
    expect(looks(missed, 10_000, events)).toEqual([0, 1_520])
    const failing = new PollSchedule(0, () => 0.5)
    expect(looks(failing, 4_000, { 0: () => failing.recovered(0) }, false)).toEqual([0, 1_520, 3_040])
  })
})

describe('a walk', () => {
  const page = (next: number | null, settled: number) => ({ heads: [], next, settled })

  it('goes from page to page, and then from what the first page called settled', () => {
    const walk = new PollWalk(10)
    expect(walk.after).toBe(10)
    expect(walk.turn(page(50, 90))).toBe(false)
    expect([walk.after, walk.settled]).toEqual([50, 10])
    expect(walk.turn(page(95, 97))).toBe(false)
    expect(walk.turn(page(null, 99))).toBe(true)
    expect([walk.after, walk.settled]).toEqual([90, 90])
  })

  it('that could not be finished begins anew', () => {
    const walk = new PollWalk(10)
    walk.turn(page(50, 90))
    walk.abandon()
    expect([walk.after, walk.settled]).toEqual([10, 10])
  })

  it('never goes back, and does not go in circles', () => {
    const walk = new PollWalk(10)
    expect(walk.turn(page(10, 5))).toBe(true)
    expect(walk.settled).toBe(10)
  })
})
