/**
 * Which tab works for the browser, as a pure machine: a state and an event give the next state and what is to be done.
 * One tab is the owner: it holds the lock, and the term in the replica is its own. The others follow.
 *
 *               open              announced, heard
 *     closed ─────────► seeking ───────────────────► following ◄────────────────┐
 *        ▲ close           │                        silence │ farewell          │ announced, heard
 *        │ (every state)   │ asked in vain                  ▼                   │
 *                          ├──────────► stealing ◄────── doubting ──────────────┤
 *      granted (as seeking,│                │ granted                           │
 *     following, doubting) └─► claiming ◄───┘                                   │
 *                                  │ claimed                                    │
 *                                  ▼                 announced: a later term    │
 *                seeking ◄────── owning ────────────────────────────────────────┘
 *                          lost
 *     asleep: the page is frozen. An owner gives up before; nothing is asked until it wakes, and seeks.
 *
 * `until` is the moment, by a clock that never jumps, at which the state's own `deadline` is due. An event that isn't
 * drawn changes nothing. Words of an earlier term are no events: whoever runs the machine doesn't listen to them.
 */
import type { Moment } from '../environment.ts'

interface States {
  closed: { readonly until: null }
  /** No owner was heard of; it was asked for one so many times. */
  seeking: { readonly until: number; readonly asked: number }
  following: { readonly until: number }
  /** The owner has been silent, and was pinged so many times. */
  doubting: { readonly until: number; readonly asked: number }
  /** The lock is being taken from an owner that doesn't answer. */
  stealing: { readonly until: null }
  /** The lock is ours; the term is being written, and what lies in the replica is taken up. */
  claiming: { readonly until: null }
  owning: { readonly until: null }
  asleep: { readonly until: null }
}

export type LeadershipName = keyof States
export type Leadership = { [S in LeadershipName]: { readonly state: S } & States[S] }[LeadershipName]

/**
 * `granted`: the lock is ours. `claimed`: so is the term. `lost`: neither is any more. `announced`: an owner presents
 * itself. `heard`: it says anything else. `farewell`: it goes. `sleep`, `wake`: of this page.
 */
export type LeadershipEvent =
  | 'open'
  | 'granted'
  | 'claimed'
  | 'lost'
  | 'announced'
  | 'heard'
  | 'farewell'
  | 'deadline'
  | 'sleep'
  | 'wake'
  | 'close'

/**
 * What the runner does, in order. `queue`: wait for the lock. `withdraw`: don't, and let go of it. `retire`: stop being
 * the owner at once. `show`: what lies in the replica, since nobody says better.
 */
export type LeadershipEffect = 'queue' | 'withdraw' | 'steal' | 'claim' | 'retire' | 'hello' | 'ping' | 'show'

export interface LeadershipStep {
  readonly next: Leadership
  readonly effects: readonly LeadershipEffect[]
}

export const leadershipTiming = {
  /** A tab that has found no owner by then shows what it finds in the replica. */
  firstMs: 100,
  silenceMs: 6_000,
  pongMs: 4_000,
  /** So many pings stay unanswered before the lock is stolen: 6 + 4 × 4 s of silence, and up to 3 s for the jitter. */
  maxPings: 4,
  jitterMs: 3_000,
  farewellJitterMs: 200,
  /** A timer this late means that this tab was asleep itself, and heard nothing because of that. */
  lateMs: 2_000,
} as const

export const leadershipClosed: Leadership = { state: 'closed', until: null }

export function leadershipStep(state: Leadership, event: LeadershipEvent, moment: Moment): LeadershipStep {
  // The casts: TypeScript cannot follow that a state is given to its own row.
  const handle = table[state.state][event] as Handler<Leadership> | undefined
  return handle?.(state, moment) ?? { next: state, effects: [] }
}

type Handler<S> = (state: S, moment: Moment) => LeadershipStep
type Row<S extends LeadershipName> = Partial<Record<LeadershipEvent, Handler<Extract<Leadership, { state: S }>>>>

const { firstMs, silenceMs, pongMs, maxPings, jitterMs, farewellJitterMs, lateMs } = leadershipTiming

const to =
  (state: 'closed' | 'stealing' | 'claiming' | 'owning' | 'asleep', ...effects: LeadershipEffect[]) =>
  (): LeadershipStep => ({ next: { state, until: null }, effects })

const follow =
  (...effects: LeadershipEffect[]) =>
  (_: unknown, { now }: Moment): LeadershipStep => ({ next: { state: 'following', until: now + silenceMs }, effects })

const seek =
  (...effects: LeadershipEffect[]) =>
  (_: unknown, { now }: Moment): LeadershipStep => ({
    next: { state: 'seeking', asked: 0, until: now + firstMs },
    effects: [...effects, 'queue', 'hello'],
  })

const doubt = (asked: number, until: number, ...effects: LeadershipEffect[]): LeadershipStep => ({
  next: { state: 'doubting', asked, until },
  effects,
})

/** The owner does not answer. Who was asleep itself asks again before it believes that. */
function insist(state: { readonly until: number; readonly asked: number }, { now, chance }: Moment): LeadershipStep {
  if (state.asked > maxPings) return to('stealing', 'withdraw', 'steal')()
  if (now - state.until > lateMs) return doubt(state.asked, now + pongMs, 'hello')
  if (state.asked === maxPings) return doubt(state.asked + 1, now + chance * jitterMs)
  return doubt(state.asked + 1, now + pongMs, 'ping')
}

/** Where the lock is free now, its queue is faster; where there are no locks, somebody has to step forward. */
const hasten: Handler<unknown> = (_, { now, chance }) => doubt(maxPings + 1, now + chance * farewellJitterMs)

const follower: Row<'seeking' | 'following' | 'doubting'> = {
  granted: to('claiming', 'claim'),
  announced: follow(),
  heard: follow(),
  farewell: hasten,
  sleep: to('asleep', 'withdraw'),
  close: to('closed', 'withdraw'),
}

const table: { readonly [S in LeadershipName]: Row<S> } = {
  closed: { open: seek() },
  seeking: {
    ...follower,
    deadline: (state, moment) =>
      state.asked > 0
        ? insist(state, moment)
        : { next: { ...state, asked: 1, until: moment.now + pongMs }, effects: ['show', 'hello'] },
  },
  following: { ...follower, deadline: (_, { now }) => doubt(1, now + pongMs, 'ping') },
  doubting: { ...follower, deadline: insist },
  stealing: {
    granted: to('claiming', 'claim'),
    lost: seek(),
    sleep: to('asleep', 'withdraw'),
    close: to('closed', 'withdraw'),
  },
  claiming: {
    claimed: to('owning'),
    lost: seek('retire', 'withdraw'),
    sleep: to('asleep', 'retire', 'withdraw'),
    close: to('closed', 'retire', 'withdraw'),
  },
  owning: {
    lost: seek('retire', 'withdraw'),
    announced: follow('retire', 'withdraw', 'queue'),
    heard: follow('retire', 'withdraw', 'queue'),
    sleep: to('asleep', 'retire', 'withdraw'),
    close: to('closed', 'retire', 'withdraw'),
  },
  asleep: { granted: to('asleep', 'withdraw'), wake: seek(), close: to('closed') },
}
