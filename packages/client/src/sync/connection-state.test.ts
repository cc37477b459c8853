import { describe, expect, it } from 'vitest'
import {
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
  type EventName,
  type StateName,
  timing,
  transition,
} from './connection-state.ts'
import { FIRST_DELAY_MS, MAX_DELAY_MS, MIN_DELAY_MS, retryDelayMs } from './retry-delay.ts'

const NOW = 100_000
const moment = { now: NOW, chance: 0.5 }

const states: { readonly [S in StateName]: Extract<ConnectionState, { state: S }> } = {
  stopped: { state: 'stopped', until: null },
  waiting: { state: 'waiting', attempt: 2, earliest: NOW - 1, until: NOW + 500 },
  connecting: { state: 'connecting', attempt: 2, until: NOW + 10, isMove: false },
  greeting: { state: 'greeting', attempt: 2, until: NOW + 10, isMove: false },
  live: { state: 'live', attempt: 2, since: NOW - 20_000, until: NOW },
  probing: { state: 'probing', attempt: 2, since: NOW - 20_000, until: NOW },
  'locked-out': { state: 'locked-out', until: null },
}

const events: { readonly [E in EventName]: Extract<ConnectionEvent, { event: E }> } = {
  start: { event: 'start' },
  stop: { event: 'stop' },
  hint: { event: 'hint' },
  opened: { event: 'opened' },
  welcomed: { event: 'welcomed' },
  heard: { event: 'heard' },
  closed: { event: 'closed' },
  goodbye: { event: 'goodbye', reason: 'session_ended', retryAfterMs: 0 },
  move: { event: 'move' },
  deadline: { event: 'deadline' },
  admitted: { event: 'admitted' },
}

type Outcome = readonly [StateName, ...Effect[]]

/** The whole behaviour on one page; a pair that is missing does not compile. */
const grid: { readonly [S in StateName]: { readonly [E in EventName]: Outcome } } = {
  stopped: {
    start: ['connecting', 'open'],
    stop: ['stopped'],
    hint: ['stopped'],
    opened: ['stopped'],
    welcomed: ['stopped'],
    heard: ['stopped'],
    closed: ['stopped'],
    goodbye: ['stopped'],
    move: ['stopped'],
    deadline: ['stopped'],
    admitted: ['stopped'],
  },
  waiting: {
    start: ['waiting'],
    stop: ['stopped'],
    hint: ['connecting', 'open'],
    opened: ['waiting'],
    welcomed: ['waiting'],
    heard: ['waiting'],
    closed: ['waiting'],
    goodbye: ['waiting'],
    move: ['waiting'],
    deadline: ['connecting', 'open'],
    admitted: ['waiting'],
  },
  connecting: {
    start: ['connecting'],
    stop: ['stopped', 'close'],
    hint: ['connecting'],
    opened: ['greeting', 'hello'],
    welcomed: ['connecting'],
    heard: ['connecting'],
    closed: ['waiting'],
    goodbye: ['locked-out', 'close'],
    move: ['connecting'],
    deadline: ['waiting', 'close'],
    admitted: ['connecting'],
  },
  greeting: {
    start: ['greeting'],
    stop: ['stopped', 'close'],
    hint: ['greeting'],
    opened: ['greeting'],
    welcomed: ['live'],
    heard: ['greeting'],
    closed: ['waiting'],
    goodbye: ['locked-out', 'close'],
    move: ['greeting'],
    deadline: ['waiting', 'close'],
    admitted: ['greeting'],
  },
  live: {
    start: ['live'],
    stop: ['stopped', 'close'],
    hint: ['probing', 'ping'],
    opened: ['live'],
    welcomed: ['live'],
    heard: ['live'],
    closed: ['waiting'],
    goodbye: ['locked-out', 'close'],
    move: ['connecting', 'close', 'open'],
    deadline: ['probing', 'ping'],
    admitted: ['live'],
  },
  probing: {
    start: ['probing'],
    stop: ['stopped', 'close'],
    hint: ['probing'],
    opened: ['probing'],
    welcomed: ['probing'],
    heard: ['live'],
    closed: ['waiting'],
    goodbye: ['locked-out', 'close'],
    move: ['connecting', 'close', 'open'],
    deadline: ['waiting', 'close'],
    admitted: ['probing'],
  },
  'locked-out': {
    start: ['locked-out'],
    stop: ['stopped'],
    hint: ['locked-out'],
    opened: ['locked-out'],
    welcomed: ['locked-out'],
    heard: ['locked-out'],
    closed: ['locked-out'],
    goodbye: ['locked-out'],
    move: ['locked-out'],
    deadline: ['locked-out'],
    admitted: ['connecting', 'open'],
  },
}

describe('the connection machine', () => {
  for (const state of Object.keys(grid) as StateName[]) {
    for (const event of Object.keys(grid[state]) as EventName[]) {
      const [next, ...effects] = grid[state][event]
      it(`CONN-2 ${state} + ${event} gives ${[next, ...effects].join(', ')}`, () => {
        const step = transition(states[state], events[event], moment)
        expect([step.next.state, ...step.effects]).toEqual([next, ...effects])
      })
    }
  }

  it('CONN-2 the first retry comes within a second, later ones within a doubling ceiling of thirty seconds', () => {
    expect(retryDelayMs(0, 0.999999)).toBeLessThan(1_000)
    expect(retryDelayMs(1, 0.999999)).toBeLessThan(2_000)
    expect(retryDelayMs(40, 0.999999)).toBeLessThan(30_000)
    expect(retryDelayMs(40, 0)).toBe(MIN_DELAY_MS)
  })

  it('CONN-2 clients cut at once come back spread out', () => {
    const buckets = new Map<number, number>()
    for (let i = 0; i < 1_000; i++) {
      const bucket = Math.floor(retryDelayMs(5, i / 1_000) / 100)
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
    }
    expect(Math.max(...buckets.values())).toBeLessThanOrEqual(3 * (1_000 / buckets.size))
  })

  it('CONN-2 attempts are counted until a connection has held', () => {
    const fell = transition({ ...states.live, since: NOW - 100 }, events.closed, moment)
    expect(fell.next).toMatchObject({ state: 'waiting', attempt: 3 })
    const held = transition(states.live, events.closed, moment)
    expect(held.next).toMatchObject({ state: 'waiting', attempt: 0 })
  })

  it('CONN-2 the longer a connection has held, the less is left of the count', () => {
    const after = (heldMs: number) =>
      transition({ ...states.live, attempt: 5, since: NOW - heldMs }, events.closed, moment).next
    expect([0, 2_500, 5_000, 7_500, 9_900].map((heldMs) => after(heldMs))).toMatchObject(
      [6, 5, 3, 2, 0].map((attempt) => ({ state: 'waiting', attempt })),
    )
  })

  it('CONN-2 who is cut every four seconds is back within two each time, who is cut at once is not', () => {
    const slowest = (heldMs: number) => {
      let attempt = 0
      for (let cut = 0; cut < 20; cut++) {
        const { next } = transition({ ...states.live, attempt, since: NOW - heldMs }, events.closed, moment)
        if (next.state === 'waiting') attempt = next.attempt
      }
      return retryDelayMs(attempt, 1)
    }
    expect(slowest(4_000)).toBeLessThanOrEqual(2_000)
    expect(slowest(100)).toBe(MAX_DELAY_MS)
  })

  it('CON-10 thirty seconds of silence are answered by a ping, ten more by reconnecting', () => {
    const live = transition(states.greeting, events.welcomed, moment).next
    expect(live.until).toBe(NOW + 30_000)
    const probing = transition(live, events.deadline, { now: NOW + 30_000, chance: 0 })
    expect(probing.next).toMatchObject({ state: 'probing', until: NOW + 40_000 })
    expect(transition(probing.next, events.deadline, { now: NOW + 40_000, chance: 0 }).next.state).toBe('waiting')
  })

  it('CON-10 a timer that comes an hour late shows that the device slept: the pong must come at once', () => {
    const hour = 3_600_000
    const probing = transition(states.live, events.deadline, { now: NOW + hour, chance: 0 })
    expect(probing.next.until).toBe(NOW + hour + timing.wakePongMs)
  })

  it('CONN-10 a hint never comes before the moment the server asked for', () => {
    const goodbye = { event: 'goodbye', reason: 'going_away', retryAfterMs: 5_000 } as const
    const { next } = transition(states.live, goodbye, moment)
    expect(next).toMatchObject({ state: 'waiting', earliest: NOW + 5_000 })
    expect(next.until).toBeGreaterThanOrEqual(NOW + 5_000)
    expect(transition(next, events.hint, { now: NOW + 4_999, chance: 0 }).next).toBe(next)
    expect(transition(next, events.hint, { now: NOW + 5_000, chance: 0 }).next.state).toBe('connecting')
  })

  it('CON-14 no server keeps us away for longer than five minutes', () => {
    const goodbye = { event: 'goodbye', reason: 'going_away', retryAfterMs: Number.MAX_SAFE_INTEGER } as const
    const { next } = transition(states.live, goodbye, moment)
    expect(next.until).toBeLessThan(NOW + 300_000 + FIRST_DELAY_MS)
  })

  it('CON-13 a move that fails is an outage like any other, and one from server to server is counted', () => {
    const moving = transition(states.live, events.move, moment).next
    expect(moving).toMatchObject({ state: 'connecting', attempt: 0, isMove: true })
    expect(transition(moving, events.closed, moment).next).toMatchObject({ state: 'waiting', attempt: 1 })
    const greeting = transition(moving, events.opened, moment).next
    expect(greeting).toMatchObject({ state: 'greeting', isMove: true })
    const again = transition({ ...states.live, attempt: 0, since: NOW - 100 }, events.move, moment).next
    expect(again).toMatchObject({ state: 'connecting', attempt: 1 })
  })

  it('CONN-10 hints in a storm cannot make us try more often than four times a second', () => {
    const lost = transition(states.connecting, events.closed, moment).next
    expect(transition(lost, events.hint, { now: NOW + 249, chance: 0 }).effects).toEqual([])
  })
})
