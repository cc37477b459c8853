import { isTemporary, type WireError } from '@parley/protocol'
import type { Clock } from '../environment.ts'
import { abortable, ParleyError, refused, unreachable, within } from '../errors.ts'

/** No answer of the server's within this counts as none. */
export const ANSWER_MS = 20_000

/** An answer that is on its way; one that takes too long is none. */
export function inTime<T>(clock: Clock, answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return within({ clock, ms: ANSWER_MS, signal }, (limited) => abortable(answer, limited)).catch((error) => {
    const isLate = error.code === 'aborted' && !signal.aborted
    throw isLate ? unreachable('The server did not answer in time.') : error
  })
}

/** There will be none, nor does anybody know what became of the question. */
export const lost = () => unreachable('The connection was lost before the answer.')

/** What the server refused; that it could not do it just now is as good as not to reach it. */
export function asError(refusal: WireError): ParleyError {
  const isOutage = isTemporary(refusal.id) || refusal.id === 'internal_server_error'
  return isOutage ? new ParleyError('unreachable', refusal.message, { refusal }) : refused(refusal)
}
