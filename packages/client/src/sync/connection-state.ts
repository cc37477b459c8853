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
 * the machine needs one timer and no knowledge of what it is for. An event that isn't drawn changes nothing.
 */
import type { GoodbyeFrame } from '@parley/protocol'
import type { Moment } from '../environment.ts'
import { MIN_DELAY_MS, retryDelayMs } from './retry-delay.ts'

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
  /** No server keeps us away, or waiting for our turn, for longer than this. */
  longestHintMs: 300_000,
  /** Who is to go elsewhere waits so long for what is under way: longer than a server that works, which says goodbye then. */
  lastAnswersMs: 2_000,
  /** A connection that held this long starts the count of attempts anew; half as long, and half of it is forgotten. */
  heldMs: 10_000,
} as const

export const stopped: ConnectionState = { state: 'stopped', until: null }

export function transition(state: ConnectionState, event: ConnectionEvent, moment: Moment): Step {
  // The cast: TypeScript cannot follow two names at once.
  const handle = table[state.state][event.event] as Handler<ConnectionState, ConnectionEvent> | undefined
  return handle?.(state, moment, event) ?? { next: state, effects: [] }
}

type Handler<S, E> = (state: S, moment: Moment, event: E) => Step
type Row<S extends StateName> = {
  readonly [E in EventName]?: Handler<Extract<ConnectionState, { state: S }>, Extract<ConnectionEvent, { event: E }>>
}

const stop =
  (...effects: Effect[]) =>
  (): Step => ({ next: stopped, effects })

const connect = (attempt: number, { now }: Moment, isMove = false): Step => ({
  next: { state: 'connecting', attempt, until: now + timing.openMs, isMove },
  effects: isMove ? ['close', 'open'] : ['open'],
})

const connectFirst = (_: unknown, moment: Moment): Step => connect(0, moment)

function wait(attempt: number, { now, chance }: Moment, effects: readonly Effect[] = [], atLeastMs = 0): Step {
  const earliest = now + Math.max(MIN_DELAY_MS, atLeastMs)
  const until = now + atLeastMs + retryDelayMs(attempt, chance)
  return { next: { state: 'waiting', attempt, earliest, until }, effects }
}

/**
 * After a loss: on with the count, of which the less is left the longer the connection had held. Whoever is cut every few
 * seconds because one node after the other dies is not kept waiting as for a server that welcomes and falls.
 */
const attemptAfter = (state: States['live'], { now }: Moment): number =>
  Math.round((state.attempt + 1) * Math.max(0, 1 - (now - state.since) / timing.heldMs))

function leave(attempt: number, event: Events['goodbye'], moment: Moment): Step {
  switch (event.reason) {
    case 'session_ended':
    case 'authentication_required':
      return { next: { state: 'locked-out', until: null }, effects: ['close'] }
    case 'going_away':
    case 'too_slow':
    case 'protocol_error':
    case 'refused':
      return wait(attempt, moment, ['close'], Math.min(event.retryAfterMs, timing.longestHintMs))
  }
}

/** A deadline that rings this late means that the device slept: whatever was counted before is over. */
const slept = ({ until }: { readonly until: number }, { now }: Moment): boolean => now - until > timing.lateMs

const live = ({ attempt }: States['live' | 'greeting'], { now }: Moment, since: number): Step => ({
  next: { state: 'live', attempt, since, until: now + timing.silenceMs },
  effects: [],
})

const probe = ({ attempt, since }: States['live'], { now }: Moment, pongMs: number): Step => ({
  next: { state: 'probing', attempt, since, until: now + pongMs },
  effects: ['ping'],
})

const trying: Row<'connecting' | 'greeting'> = {
  stop: stop('close'),
  closed: ({ attempt }, moment) => wait(attempt + 1, moment),
  goodbye: ({ attempt }, moment, event) => leave(attempt + 1, event, moment),
  // It took too long; who wakes up starts to count anew, for there is somebody waiting.
  deadline: (state, moment) => wait(slept(state, moment) ? 0 : state.attempt + 1, moment, ['close']),
}

const connected: Row<'live' | 'probing'> = {
  stop: stop('close'),
  heard: (state, moment) => live(state, moment, state.since),
  closed: (state, moment) => wait(attemptAfter(state, moment), moment),
  goodbye: (state, moment, event) => leave(attemptAfter(state, moment), event, moment),
  move: (state, moment) => connect(attemptAfter(state, moment), moment, true),
}

const table: { readonly [S in StateName]: Row<S> } = {
  stopped: { start: connectFirst },
  waiting: {
    stop: stop(),
    hint: (state, moment) =>
      moment.now >= state.earliest ? connect(state.attempt, moment) : { next: state, effects: [] },
    deadline: (state, moment) => connect(slept(state, moment) ? 0 : state.attempt, moment),
  },
  connecting: {
    ...trying,
    opened: ({ attempt, isMove }, { now }) => ({
      next: { state: 'greeting', attempt, until: now + timing.welcomeMs, isMove },
      effects: ['hello'],
    }),
  },
  greeting: { ...trying, welcomed: (state, moment) => live(state, moment, moment.now) },
  live: {
    ...connected,
    hint: (state, moment) => probe(state, moment, timing.hintPongMs),
    deadline: (state, moment) => probe(state, moment, slept(state, moment) ? timing.wakePongMs : timing.pongMs),
  },
  probing: { ...connected, deadline: (state, moment) => wait(attemptAfter(state, moment), moment, ['close']) },
  'locked-out': { stop: stop(), admitted: connectFirst },
}
