import { ParleyError } from '@parley/client'
import { SignInRefused } from './credentials.ts'

/** What went wrong, for the person at the screen: what it means for them and what they can do. */
export function faultText(error: unknown): string {
  const own = findSignInRefused(error)
  if (own) return own.message
  if (!(error instanceof ParleyError)) return 'Something went wrong. Try again.'
  switch (error.code) {
    case 'offline':
    case 'unreachable':
      return 'There is no connection right now. Try again once you are online.'
    case 'challenge_failed':
    case 'wrong_user':
      return 'The sign-in service did not answer as it should. Try again.'
    case 'already_authenticated':
      return 'Somebody else is signed in on this device.'
    case 'too_large':
      return 'That is too long.'
    case 'outbox_full':
    case 'storage_full':
      return 'This device has no room left.'
    case 'storage_failed':
      return 'This device could not store it.'
    case 'refused':
      return error.refusal?.message ?? error.message
    case 'invalid':
      return error.message
    default:
      return 'Something went wrong. Try again.'
  }
}

/** The SDK wraps what the page's own challenge function threw. */
function findSignInRefused(error: unknown): SignInRefused | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof SignInRefused) return at
  return undefined
}
