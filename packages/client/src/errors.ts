import type { WireError } from '@parley/protocol'
import type { Clock } from './environment.ts'
import type { OutboxEntry } from './replica/replica.ts'

/**
 * Why something was not done. Codes are forever and each says what an app can do about it; the sentence is for a log.
 *
 * | code | what to do |
 * |---|---|
 * | `invalid`, `too_large` | correct the argument |
 * | `not_authenticated` | call `authenticate` first |
 * | `already_authenticated` | de-authenticate the present user first |
 * | `authentication_in_progress`, `deauthenticating` | wait for the call that is running |
 * | `offline`, `unreachable` | try again once the network is back; nothing was lost |
 * | `challenge_failed`, `wrong_user` | look at the app's authentication service |
 * | `refused` | read `refusal`: the server's answer stands |
 * | `unsent_work` | retry or discard `entries`, or pass `keepData` or `discardUnsent` |
 * | `discarded` | the operation was given up; what was sent before, and had no answer, may have been carried out all the same |
 * | `outbox_full`, `storage_full` | nothing was stored; free some room |
 * | `storage_failed` | the local database failed; see `cause` |
 * | `no_websocket` | pass the `webSocket` option |
 * | `aborted`, `closed` | the app itself asked for it; what was on its way to another tab may be carried out all the same |
 */
export type ParleyErrorCode =
  | 'invalid'
  | 'too_large'
  | 'not_authenticated'
  | 'already_authenticated'
  | 'authentication_in_progress'
  | 'deauthenticating'
  | 'offline'
  | 'unreachable'
  | 'challenge_failed'
  | 'wrong_user'
  | 'refused'
  | 'unsent_work'
  | 'discarded'
  | 'outbox_full'
  | 'storage_full'
  | 'storage_failed'
  | 'no_websocket'
  | 'aborted'
  | 'closed'

export interface ParleyErrorDetails extends ErrorOptions {
  readonly refusal?: WireError
  readonly entries?: readonly OutboxEntry[]
}

/** The one error class of the SDK. Switch on `code`. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError'
  readonly code: ParleyErrorCode
  /** With `refused`: what the server said. */
  readonly refusal: WireError | undefined
  /** With `unsent_work`: what would be lost. */
  readonly entries: readonly OutboxEntry[]

  constructor(code: ParleyErrorCode, message: string, details: ParleyErrorDetails = {}) {
    super(message, details)
    this.code = code
    this.refusal = details.refusal
    this.entries = details.entries ?? []
  }
}

export const refused = (refusal: WireError) => new ParleyError('refused', refusal.message, { refusal })

export const unreachable = (message: string, cause?: unknown) => new ParleyError('unreachable', message, { cause })

export const closed = (cause?: unknown) => new ParleyError('closed', 'This client is closed.', { cause })

export const discarded = () => new ParleyError('discarded', 'The operation was given up.')

/** What the local database could not do, in the words of the SDK. */
export function storageError(cause: unknown): ParleyError {
  switch ((cause as { readonly code?: unknown }).code) {
    case 'closed':
    case 'fenced':
      return closed(cause)
    case 'full':
      return new ParleyError('storage_full', 'The device has no room for this; nothing was stored.', { cause })
    default:
      return new ParleyError('storage_failed', 'The local database failed; nothing was stored.', { cause })
  }
}

/** The same promise, for an app: trouble with the local database comes as the one error class there is. */
export async function forApp<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw (error as { readonly name?: unknown }).name === 'ReplicaError' ? storageError(error) : error
  }
}

/** Throws `aborted` if the signal says so. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal)
}

export const aborted = (signal: AbortSignal) =>
  new ParleyError('aborted', 'The call was aborted.', { cause: signal.reason })

/** Settles with the promise, or rejects with `aborted` as soon as the signal fires. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(aborted(signal))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Does something that ends, by its signal, as soon as one of these fires; they are listened to no longer than that. */
export async function untilAny<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const stop = () => controller.abort(signals.find((signal) => signal?.aborted)?.reason)
  for (const signal of signals) {
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop)
  }
  try {
    return await work(controller.signal)
  } finally {
    for (const signal of signals) signal?.removeEventListener('abort', stop)
  }
}

/** Does something that ends, by its signal, when the given one fires and when so much time has passed. */
export async function within<T>(
  limits: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const cancel = limits.clock.after(limits.ms, () => late.abort('It took too long.'))
  return untilAny([limits.signal, late.signal], work).finally(cancel)
}
