import { SeededChance, VirtualClock } from '@parley/testkit'
import { beforeEach, expect, it } from 'vitest'
import { ParleyError } from '../errors.ts'
import type { ChallengeFailure } from './authentication-state.ts'
import { obtainToken } from './obtain-token.ts'

let clock: VirtualClock
let asked: string[]
let failures: number[]
let fresh: number
beforeEach(() => {
  clock = new VirtualClock()
  asked = []
  failures = []
  fresh = 0
})

/** As far as the SDK looks at it. */
const TOKEN = `header.${btoa('{"prn":"ada"}')}.signature`

const obtain = (
  answers: { ask?: () => Promise<string | null>; submit?: () => Promise<void> },
  options: { patienceMs?: number; signal?: AbortSignal } = {},
) => {
  const current = { nonce: 'n0', receivedAt: clock.now(), isUsed: false }
  return obtainToken(
    {
      clock,
      chance: new SeededChance(7),
      challenge: async ({ nonce }) => {
        asked.push(nonce)
        return answers.ask ? answers.ask() : TOKEN
      },
      userId: 'ada',
      submit: answers.submit ?? (async () => {}),
      requestNonce: async () => {
        Object.assign(current, { nonce: `n${++fresh}`, receivedAt: clock.now(), isUsed: false })
      },
      tell: (_, failure) => failures.push((failure as ChallengeFailure).retryInMs),
    },
    current,
    { signal: options.signal ?? new AbortController().signal, ...options },
  )
}
const down = async () => {
  throw new Error('down')
}

it('AUTH-32 one try is enough when all goes well', async () => {
  expect(await obtain({})).toBe('accepted')
  expect(asked).toEqual(['n0'])
})

it('AUTH-32 no two tries within five seconds, and no more than a minute between them', async () => {
  const abort = new AbortController()
  const call = obtain({ ask: down }, { signal: abort.signal })
  call.catch(() => {})
  await clock.advance(20 * 60_000)
  expect(Math.min(...failures)).toBeGreaterThanOrEqual(5_000)
  expect(Math.max(...failures)).toBeLessThanOrEqual(60_000)
  abort.abort()
  await expect(call).rejects.toMatchObject({ code: 'aborted' })
  expect(clock.timers).toBe(0)
})

it('AUTH-29 a nonce is used once, and not begun with when it is nearly over', async () => {
  let isFirst = true
  const submit = async () => {
    if (!isFirst) return
    isFirst = false
    throw new ParleyError('refused', 'No.')
  }
  const call = obtain({ submit })
  await clock.advance(60_000)
  expect(await call).toBe('accepted')
  expect(asked).toEqual(['n0', 'n1'])
})

it('AUTH-29 tries go on with the same nonce for as long as it lives', async () => {
  const abort = new AbortController()
  obtain({ ask: down }, { signal: abort.signal }).catch(() => {})
  await clock.advance(9 * 60_000)
  expect(new Set(asked)).toEqual(new Set(['n0']))
  await clock.advance(2 * 60_000)
  expect(asked.at(-1)).toBe('n1')
  abort.abort()
})

it('AUTH-16 patience ends, to the moment, when the app has no token', async () => {
  const call = obtain({ ask: down }, { patienceMs: 600_000 })
  let outcome = ''
  void call.then((value) => {
    outcome = value
  })
  await clock.advance(599_000)
  expect(outcome).toBe('')
  await clock.advance(10_000)
  expect(outcome).toBe('no-token')
})

it('AUTH-16 a server that is away does not use up the patience for the app', async () => {
  const abort = new AbortController()
  const submit = async () => {
    throw new ParleyError('unreachable', 'Away.')
  }
  let outcome = ''
  obtain({ submit }, { patienceMs: 600_000, signal: abort.signal }).then(
    (value) => {
      outcome = value
    },
    () => {},
  )
  await clock.advance(3_600_000)
  expect(outcome).toBe('')
  abort.abort()
})
