import { expect, it } from 'vitest'
import {
  type Leadership,
  type LeadershipEvent,
  type LeadershipName,
  leadershipStep,
  leadershipTiming as timing,
} from './leadership.ts'

const now = 1_000_000
const moment = { now, chance: 0.5 }

/** A state at the moment its deadline falls due. */
const states: { readonly [S in LeadershipName]: Extract<Leadership, { state: S }> } = {
  closed: { state: 'closed', until: null },
  seeking: { state: 'seeking', until: now, asked: 0 },
  following: { state: 'following', until: now },
  doubting: { state: 'doubting', until: now, asked: 2 },
  stealing: { state: 'stealing', until: null },
  claiming: { state: 'claiming', until: null },
  owning: { state: 'owning', until: null },
  asleep: { state: 'asleep', until: null },
}

const SAME = 'same'

/** The state it leads to and what is done, for each pair. */
const grid: { readonly [S in LeadershipName]: { readonly [E in LeadershipEvent]: string } } = {
  closed: {
    open: 'seeking: queue hello',
    granted: SAME,
    claimed: SAME,
    lost: SAME,
    announced: SAME,
    heard: SAME,
    farewell: SAME,
    deadline: SAME,
    sleep: SAME,
    wake: SAME,
    close: SAME,
  },
  seeking: {
    open: SAME,
    granted: 'claiming: claim',
    claimed: SAME,
    lost: SAME,
    announced: 'following:',
    heard: 'following:',
    farewell: 'doubting:',
    deadline: 'seeking: show hello',
    sleep: 'asleep: withdraw',
    wake: SAME,
    close: 'closed: withdraw',
  },
  following: {
    open: SAME,
    granted: 'claiming: claim',
    claimed: SAME,
    lost: SAME,
    announced: 'following:',
    heard: 'following:',
    farewell: 'doubting:',
    deadline: 'doubting: ping',
    sleep: 'asleep: withdraw',
    wake: SAME,
    close: 'closed: withdraw',
  },
  doubting: {
    open: SAME,
    granted: 'claiming: claim',
    claimed: SAME,
    lost: SAME,
    announced: 'following:',
    heard: 'following:',
    farewell: 'doubting:',
    deadline: 'doubting: ping',
    sleep: 'asleep: withdraw',
    wake: SAME,
    close: 'closed: withdraw',
  },
  stealing: {
    open: SAME,
    granted: 'claiming: claim',
    claimed: SAME,
    lost: 'seeking: queue hello',
    announced: SAME,
    heard: SAME,
    farewell: SAME,
    deadline: SAME,
    sleep: 'asleep: withdraw',
    wake: SAME,
    close: 'closed: withdraw',
  },
  claiming: {
    open: SAME,
    granted: SAME,
    claimed: 'owning:',
    lost: 'seeking: retire withdraw queue hello',
    announced: SAME,
    heard: SAME,
    farewell: SAME,
    deadline: SAME,
    sleep: 'asleep: retire withdraw',
    wake: SAME,
    close: 'closed: retire withdraw',
  },
  owning: {
    open: SAME,
    granted: SAME,
    claimed: SAME,
    lost: 'seeking: retire withdraw queue hello',
    announced: 'following: retire withdraw queue',
    heard: 'following: retire withdraw queue',
    farewell: SAME,
    deadline: SAME,
    sleep: 'asleep: retire withdraw',
    wake: SAME,
    close: 'closed: retire withdraw',
  },
  asleep: {
    open: SAME,
    granted: 'asleep: withdraw',
    claimed: SAME,
    lost: SAME,
    announced: SAME,
    heard: SAME,
    farewell: SAME,
    deadline: SAME,
    sleep: SAME,
    wake: 'seeking: queue hello',
    close: 'closed:',
  },
}

const pairs = Object.entries(grid).flatMap(([state, row]) =>
  Object.entries(row).map(([event, outcome]) => [state as LeadershipName, event as LeadershipEvent, outcome] as const),
)

it.each(pairs)('TAB-2 %s, %s → %s', (state, event, outcome) => {
  const before = states[state]
  const { next, effects } = leadershipStep(before, event, moment)
  if (outcome === SAME) expect({ next, effects }).toEqual({ next: before, effects: [] })
  else expect(`${next.state}: ${effects.join(' ')}`.trim()).toBe(outcome)
})

/** Deadlines, one after the other, each so much too late; answers how long it took until the lock is stolen. */
function silence(from: Leadership, lateMs = 0): { readonly elapsedMs: number; readonly effects: readonly string[] } {
  let state = from
  let at = now
  const effects: string[] = []
  while (state.until !== null && effects.length < 50) {
    at = state.until + lateMs
    const step = leadershipStep(state, 'deadline', { now: at, chance: 0.999 })
    effects.push(...step.effects)
    state = step.next
  }
  return { elapsedMs: at - now, effects }
}

it('TAB-5 an owner that is silent for 25 s is robbed, after some pings in vain', () => {
  const followed = leadershipStep(states.following, 'heard', moment).next
  const { elapsedMs, effects } = silence(followed)
  expect(effects).toEqual([...Array(timing.maxPings).fill('ping'), 'withdraw', 'steal'])
  expect(elapsedMs).toBeLessThanOrEqual(25_000)
  expect(silence(leadershipStep(states.closed, 'open', moment).next).elapsedMs).toBeLessThanOrEqual(25_000)
})

it('TAB-5 a tab whose timers come late was asleep itself: it asks, and robs nobody', () => {
  const { effects } = silence(states.doubting, timing.lateMs + 1)
  expect(effects).not.toContain('steal')
  expect(new Set(effects)).toEqual(new Set(['hello']))
})
