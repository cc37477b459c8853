/** What a hello leads to: a session, or last words. */
import { closeCodes, type GoodbyeFrame, type Refusal, toWireError } from '@parley/protocol'
import type { OpenedSession } from '../../authentication/sessions.ts'
import type { Session } from '../../model/state.ts'
import { StoreOutage } from '../../store/store.ts'
import type { Edge } from '../edge.ts'
import { isOriginAllowed } from '../origins.ts'
import { signIn } from '../sign-in.ts'
import { outageRefusal } from '../store-outage.ts'
import type { Frame } from './frames.ts'

/** Last words, and what the socket is closed with. */
export interface Farewell {
  readonly code: number
  readonly goodbye: GoodbyeFrame
}

/** Somebody is let in: by the token of a session, or by an identity token, for which one was opened. */
export type Admitted = { readonly session: Session; readonly token?: string }

/** @param origin of the page that says hello; undefined for programs */
export function greet(edge: Edge, hello: Frame<'hello'>, origin: string | undefined): Promise<Admitted | Farewell> {
  return hello.session_token === undefined ? openFor(edge, hello, origin) : findFor(edge, hello.session_token, origin)
}

async function findFor(edge: Edge, token: string, origin: string | undefined): Promise<Admitted | Farewell> {
  const session = await edge.sessions.find(token)
  if (!session) {
    const error = toWireError({ id: 'authentication_required', data: { nonce: edge.sessions.nonce(null) } })
    return {
      code: closeCodes.sessionEnded,
      goodbye: { type: 'goodbye', reason: 'authentication_required', error },
    }
  }
  if (await isOriginAllowed(edge.store, session.app, origin)) return { session }
  const error = toWireError({ id: 'forbidden_origin' })
  return { code: closeCodes.protocolError, goodbye: { type: 'goodbye', reason: 'protocol_error', error } }
}

async function openFor(
  edge: Edge,
  hello: Extract<Frame<'hello'>, { identity_token: string }>,
  origin: string | undefined,
): Promise<OpenedSession | Farewell> {
  const asked = { appId: hello.app_id, identityToken: hello.identity_token, origin }
  const opened = await signIn(edge, asked).catch(refusalOfOutage)
  return 'refusal' in opened ? farewell(opened.refusal) : opened
}

/** A store that does not answer is a refusal like others; anything else is a bug. */
export function refusalOfOutage(error: unknown): { readonly refusal: Refusal } {
  if (!(error instanceof StoreOutage)) throw error
  return { refusal: outageRefusal(error) }
}

/** Signing in was refused, in the words of HTTP. */
export function farewell(refusal: Refusal): Farewell {
  const { retryAfterMs } = refusal
  return {
    code: closeCodes.refused,
    goodbye: {
      type: 'goodbye',
      reason: 'refused',
      error: toWireError(refusal),
      ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
    },
  }
}

/** Who had a session opened went before they heard its token: nobody ever will, and it is ended. */
export function abandon(edge: Edge, { session, token }: Admitted): void {
  if (token === undefined) return
  edge.sessions.end(session).catch((error) => {
    edge.log('a session of nobody could not be ended', { error: String(error) })
  })
}
