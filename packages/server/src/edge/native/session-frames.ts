/** What a connection is told of its session: that it begins, that it goes on, and that its end is near. */
import type { DownFrame } from '@parley/protocol'
import type { Profile, Session } from '../../model/state.ts'
import { basicIdentity } from './encode.ts'
import type { Admitted } from './greeting.ts'

export function welcomeFrame(
  { session, token }: Admitted,
  { profile, epoch, nowMs }: { readonly profile: Profile; readonly epoch: string; readonly nowMs: number },
): DownFrame {
  return {
    type: 'welcome',
    identity: basicIdentity(profile),
    session: { ...infoOf(session), ...(token !== undefined && { token }) },
    epoch,
    server_time: new Date(nowMs).toISOString(),
  }
}

export const renewedFrame = (session: Session): DownFrame => ({ type: 'renewed', session: infoOf(session) })

/** Offers a nonce. The client keeps asking its app until a token comes or the session ends. */
export const challengeFrame = (session: Session, nonce: string): DownFrame => ({
  type: 'challenge',
  nonce,
  expires_at: infoOf(session).expires_at,
})

const infoOf = ({ id, expiresAt }: Session) => ({ id, expires_at: new Date(expiresAt).toISOString() })
