/**
 * Obtaining a new identity token when the server asks for one: call the app's handler, hand the token in, and if
 * either fails try again, more and more rarely. One call of the handler at a time, never in a hot loop.
 */
import { clientLimits } from '@parley/protocol'
import type { Clock } from '../environment.ts'
import { abortable, ParleyError, throwIfAborted } from '../errors.ts'
import type { AuthenticationPorts } from './authentication-ports.ts'
import { askHandler, HANDLER_PATIENCE_MS, handlerFailed } from './challenge-handler.ts'

/** A nonce, the latest the server gave; replaced while the handler is at work. */
export interface CurrentNonce {
  nonce: string
  receivedAt: number
  /** It was handed in and is spent. */
  isUsed: boolean
}

export interface ObtainPorts extends Pick<AuthenticationPorts, 'clock' | 'chance' | 'challenge' | 'tell'> {
  /** Whose token is wanted. */
  readonly userId: string | undefined
  /** Hands the token in. */
  readonly submit: (token: string, signal: AbortSignal) => Promise<void>
  readonly requestNonce: (signal: AbortSignal) => Promise<void>
}

const MIN_RETRY_MS = 5_000
const MAX_RETRY_MS = 60_000
/** A nonce is not begun with when it has less than this to live. */
const NONCE_RESERVE_MS = HANDLER_PATIENCE_MS

/**
 * @param options.patienceMs how long the handler may fail before `no-token`; undefined for as long as the signal lets us
 */
export async function obtainToken(
  ports: ObtainPorts,
  current: CurrentNonce,
  options: { readonly signal: AbortSignal; readonly patienceMs?: number },
): Promise<'accepted' | 'declined' | 'no-token'> {
  const { clock, chance, tell } = ports
  const { signal, patienceMs = Infinity } = options
  let tokenlessSince = clock.now()
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryOnce(ports, current, signal)
    if (outcome === 'accepted' || outcome === 'declined') return outcome
    const now = clock.now()
    // The app did its part; that the server is away does not make its user signed out.
    if (outcome.hadToken && outcome.error.code === 'unreachable') tokenlessSince = now
    if (now - tokenlessSince >= patienceMs) return 'no-token'
    const ceiling = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** Math.min(attempt, 8))
    const wanted = MIN_RETRY_MS + chance.number() * (ceiling - MIN_RETRY_MS)
    const retryInMs = Math.min(wanted, Math.max(MIN_RETRY_MS, tokenlessSince + patienceMs - now))
    tell('challenge-failed', { error: outcome.error, attempt, retryInMs })
    await pause(clock, retryInMs, signal)
  }
}

interface Failed {
  readonly error: ParleyError
  readonly hadToken: boolean
}

async function tryOnce(
  ports: ObtainPorts,
  current: CurrentNonce,
  signal: AbortSignal,
): Promise<'accepted' | 'declined' | Failed> {
  const { clock, challenge, userId } = ports
  let hadToken = false
  try {
    const age = clock.now() - current.receivedAt
    if (current.isUsed || age > clientLimits.nonceLifetimeMs - NONCE_RESERVE_MS) await ports.requestNonce(signal)
    const { nonce } = current
    const token = await askHandler(clock, challenge, { nonce, userId, signal })
    if (token === null) return 'declined'
    hadToken = true
    // Spent, unless a newer one came while the handler was at work.
    if (current.nonce === nonce) current.isUsed = true
    await ports.submit(token, signal)
    return 'accepted'
  } catch (cause) {
    throwIfAborted(signal)
    return { error: cause instanceof ParleyError ? cause : handlerFailed(cause), hadToken }
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  let cancel = () => {}
  const over = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve)
  })
  await abortable(over, signal).finally(cancel)
}
