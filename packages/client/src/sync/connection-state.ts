/**
 * The connection as a pure machine: a state and an event give the next state and what is to be done.
 *
 *                 start                 opened                welcomed
 *     stopped ────────────► connecting ────────► greeting ───────────────► live ◄────────┐
 *        ▲                   ▲  │                  │   │                   │  │          │ heard
 *        │ stop              │  │ closed, deadline │   │ goodbye           │  │ silence, │
 *   (every state)   deadline │  ▼                  ▼   │ (no session)      │  │ hint     │
 *                   or hint  └─ waiting ◄──────────┴───│───────────────────┤  ▼          │
 *                                  ▲                   │           goodbye │ probing ────┘
 *                                  │ closed, deadline  ▼      (no session) │  │
 *                                  └───────────────────────────────────────│──┘
 *                               locked-out ◄────────────────────────────────┘
 *                                  │ admitted: a new session is there
 *                                  └──► connecting
 *
 * `until` is the moment, by a clock that never jumps, at which the state's own `deadline` event is due. Whoever runs
 * the machine needs one timer and no knowledge of what it is for.
 */
import type { GoodbyeFrame } from '@parley/protocol'

interface States {
  /** The app does not want a connection, or there is no session to open one with. */
  stopped: { readonly until: null }
  /** Before attempt `attempt`. Nothing makes it start before `earliest`. */
  waiting: { readonly attempt: number; readonly until: number; readonly earliest: number }
  /** A socket is being opened; `isMove` if it takes the place of one that was fine. */
  connecting: { readonly attempt: number; readonly until: number; readonly isMove: boolean }
  /** Hello was said; the welcome is awaited. */
  greeting: { readonly attempt: number; readonly until: number; readonly isMove: boolean }
  /** `since` tells a connection that held from one that fell at once. */
  live: { readonly attempt: number; readonly since: number; readonly until: number }
  /** Something makes us doubt the connection: a ping is out. */
  probing: { readonly attempt: number; readonly since: number; readonly until: number }
  /** The server knows of no session of ours. It stays like that until a new one was opened. */
  'locked-out': { readonly until: null }
}

interface Events {
  /** The app wants a connection. */
  start: object
  stop: object
  /** The browser says online or offline, or woke up: never believed, only a reason to look (CONN-10). */
  hint: object
  opened: object
  welcomed: object
  /** Any frame. */
  heard: object
  /** The socket closed, or could not be opened. */
  closed: object
  goodbye: { readonly reason: GoodbyeFrame['reason']; readonly retryAfterMs: number }
  /** The server asked us to go to another one, and the time has come (CON-13). */
  move: object
  /** `until` has come. */
  deadline: object
  /** A new session is there. */
  admitted: object
}

export type StateName = keyof States
export type EventName = keyof Events
export type ConnectionState = { [S in StateName]: { readonly state: S } & States[S] }[StateName]
export type ConnectionEvent = { [E in EventName]: { readonly event: E } & Events[E] }[EventName]

/** What the runner does, in order. `close` comes before `open`, and its own `closed` event is not reported back. */
export type Effect = 'open' | 'hello' | 'ping' | 'close'

export interface Step {
  readonly next: ConnectionState
  readonly effects: readonly Effect[]
}

/** The moment of an event: the time, and a number from 0 to below 1 for whatever is left to chance. */
export interface Moment {
  readonly now: number
  readonly chance: number
}

export const timing = {
  /** A socket that is not open by then counts as failed. */
  openMs: 10_000,
  /** A welcome that is not there by then will not come. */
  welcomeMs: 10_000,
  /** CON-10 */
  silenceMs: 30_000,
  pongMs: 10_000,
  /** How long a pong may take when the browser hinted at a change of network. */
  hintPongMs: 5_000,
  /** A timer this late means that the device slept: the connection is probably gone, and the user is waiting. */
  lateMs: 5_000,
  wakePongMs: 1_000,
  /** The delay before the first retry is up to this, doubled for each further one. */
  firstDelayMs: 1_000,
  maxDelayMs: 30_000,
  /** No hint, however often repeated, makes us try sooner than this after a loss. */
  minDelayMs: 250,
  /** No server keeps us away, or waiting for our turn, for longer than this. */
  longestHintMs: 300_000,
  /** Who is to go elsewhere waits so long for what is under way: longer than a server that works, which says goodbye then. */
  lastAnswersMs: 2_000,
  /** A connection that held this long starts the count of attempts anew; half as long, and half of it is forgotten. */
  heldMs: 10_000,
} as const

/** Full jitter: anything up to a ceiling that doubles, so that a thousand clients cut at once come back spread out. */
export function retryDelayMs(attempt: number, chance: number): number {
  const ceiling = Math.min(timing.maxDelayMs, timing.firstDelayMs * 2 ** Math.min(attempt, 16))
  return timing.minDelayMs + chance * (ceiling - timing.minDelayMs)
}

export const stopped: ConnectionState = { state: 'stopped', until: null }

export function transition(state: ConnectionState, event: ConnectionEvent, moment: Moment): Step {
  // The table is complete for every pair of names; TypeScript cannot follow two names at once.
  const handle = table[state.state][event.event] as unknown as Handler<ConnectionState, ConnectionEvent>
  return handle(state, event, moment)
}

type Handler<S, E> = (state: S, event: E, moment: Moment) => Step
type Table = {
  readonly [S in StateName]: {
    readonly [E in EventName]: Handler<Extract<ConnectionState, { state: S }>, Extract<ConnectionEvent, { event: E }>>
  }
}

const stay = (next: ConnectionState): Step => ({ next, effects: [] })
const halt = (): Step => ({ next: stopped, effects: [] })
const hangUp = (): Step => ({ next: stopped, effects: ['close'] })

const connect = (attempt: number, { now }: Moment, isMove = false): Step => ({
  next: { state: 'connecting', attempt, until: now + timing.openMs, isMove },
  effects: isMove ? ['close', 'open'] : ['open'],
})

function wait(attempt: number, { now, chance }: Moment, atLeastMs = 0, effects: readonly Effect[] = []): Step {
  const earliest = now + Math.max(timing.minDelayMs, atLeastMs)
  const until = now + atLeastMs + retryDelayMs(attempt, chance)
  return { next: { state: 'waiting', attempt, earliest, until }, effects }
}

const retry = (state: { readonly attempt: number }, moment: Moment, effects: readonly Effect[] = []): Step =>
  wait(state.attempt + 1, moment, 0, effects)

/**
 * After a loss: on with the count, of which the less is left the longer the connection had held. Whoever is cut every few
 * seconds because one node after the other dies is not kept waiting as for a server that welcomes and falls.
 */
const attemptAfter = (state: States['live'], { now }: Moment): number =>
  Math.round((state.attempt + 1) * Math.max(0, 1 - (now - state.since) / timing.heldMs))

const reconnect = (state: States['live'], moment: Moment, effects: readonly Effect[] = []): Step =>
  wait(attemptAfter(state, moment), moment, 0, effects)

function leave(attempt: number, event: Events['goodbye'], moment: Moment): Step {
  switch (event.reason) {
    case 'session_ended':
    case 'authentication_required':
      return { next: { state: 'locked-out', until: null }, effects: ['close'] }
    case 'going_away':
    case 'too_slow':
    case 'protocol_error':
    case 'refused':
      return wait(attempt, moment, Math.min(event.retryAfterMs, timing.longestHintMs), ['close'])
  }
}

/** A deadline that rings this late means that the device slept: whatever was counted before is over. */
const slept = ({ until }: { readonly until: number }, { now }: Moment): boolean => now - until > timing.lateMs

/** An attempt took too long; who wakes up starts to count anew, for there is somebody waiting. */
const giveUp = (state: { readonly attempt: number; readonly until: number }, moment: Moment): Step =>
  slept(state, moment) ? wait(0, moment, 0, ['close']) : retry(state, moment, ['close'])

const live = (attempt: number, since: number, { now }: Moment): Step =>
  stay({ state: 'live', attempt, since, until: now + timing.silenceMs })

const probe = (state: States['live'], { now }: Moment, pongMs: number): Step => ({
  next: { state: 'probing', attempt: state.attempt, since: state.since, until: now + pongMs },
  effects: ['ping'],
})

const table: Table = {
  stopped: {
    start: (_, __, moment) => connect(0, moment),
    stop: stay,
    hint: stay,
    opened: stay,
    welcomed: stay,
    heard: stay,
    closed: stay,
    goodbye: stay,
    move: stay,
    deadline: stay,
    admitted: stay,
  },
  waiting: {
    start: stay,
    stop: halt,
    hint: (state, _, moment) => (moment.now >= state.earliest ? connect(state.attempt, moment) : stay(state)),
    opened: stay,
    welcomed: stay,
    heard: stay,
    closed: stay,
    goodbye: stay,
    move: stay,
    deadline: (state, _, moment) => connect(slept(state, moment) ? 0 : state.attempt, moment),
    admitted: stay,
  },
  connecting: {
    start: stay,
    stop: hangUp,
    hint: stay,
    opened: (state, _, { now }) => ({
      next: { state: 'greeting', attempt: state.attempt, until: now + timing.welcomeMs, isMove: state.isMove },
      effects: ['hello'],
    }),
    welcomed: stay,
    heard: stay,
    closed: (state, _, moment) => retry(state, moment),
    goodbye: (state, event, moment) => leave(state.attempt + 1, event, moment),
    move: stay,
    deadline: (state, _, moment) => giveUp(state, moment),
    admitted: stay,
  },
  greeting: {
    start: stay,
    stop: hangUp,
    hint: stay,
    opened: stay,
    welcomed: (state, _, moment) => live(state.attempt, moment.now, moment),
    heard: stay,
    closed: (state, _, moment) => retry(state, moment),
    goodbye: (state, event, moment) => leave(state.attempt + 1, event, moment),
    move: stay,
    deadline: (state, _, moment) => giveUp(state, moment),
    admitted: stay,
  },
  live: {
    start: stay,
    stop: hangUp,
    hint: (state, _, moment) => probe(state, moment, timing.hintPongMs),
    opened: stay,
    welcomed: stay,
    heard: (state, _, moment) => live(state.attempt, state.since, moment),
    closed: (state, _, moment) => reconnect(state, moment),
    goodbye: (state, event, moment) => leave(attemptAfter(state, moment), event, moment),
    move: (state, _, moment) => connect(attemptAfter(state, moment), moment, true),
    deadline: (state, _, moment) => probe(state, moment, slept(state, moment) ? timing.wakePongMs : timing.pongMs),
    admitted: stay,
  },
  probing: {
    start: stay,
    stop: hangUp,
    hint: stay,
    opened: stay,
    welcomed: stay,
    heard: (state, _, moment) => live(state.attempt, state.since, moment),
    closed: (state, _, moment) => reconnect(state, moment),
    goodbye: (state, event, moment) => leave(attemptAfter(state, moment), event, moment),
    move: (state, _, moment) => connect(attemptAfter(state, moment), moment, true),
    deadline: (state, _, moment) => reconnect(state, moment, ['close']),
    admitted: stay,
  },
  'locked-out': {
    start: stay,
    stop: halt,
    hint: stay,
    opened: stay,
    welcomed: stay,
    heard: stay,
    closed: stay,
    goodbye: stay,
    move: stay,
    deadline: stay,
    admitted: (_, __, moment) => connect(0, moment),
  },
}
