import { conversationId, type DownFrame } from '@parley/protocol'
import type { Typing } from '../../delivery/change.ts'
import type { AppKey } from '../../model/state.ts'
import type { Store } from '../../store/store.ts'
import { basicIdentity } from './encode.ts'

/** Who types where, looked up and encoded once for all who hear it; undefined if there is no such person. */
export function typingText(store: Store, app: AppKey, typing: Typing): Promise<string | undefined> {
  const known = texts.get(typing)
  if (known) return known
  const text = store.lists.profile(app, typing.sender).then((profile) => {
    if (!profile) return undefined
    const conversation = conversationId(typing.conversation)
    const frame: DownFrame = { type: 'typing', conversation, sender: basicIdentity(profile), action: typing.action }
    return JSON.stringify(frame)
  })
  texts.set(typing, text)
  return text
}

const texts = new WeakMap<Typing, Promise<string | undefined>>()
