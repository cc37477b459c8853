import { conversationId } from '@parley/protocol'
import type { Typing } from '../../delivery/change.ts'
import type { AppKey } from '../../model/state.ts'
import type { LayerDesk } from './desk.ts'
import { objectName, type Packet } from './packets.ts'
import { basicIdentityView } from './views/identity.ts'

/** Who types where, made once for all who hear it. The SDK needs the sender's id to be there. */
export function typingPacket(desk: LayerDesk, app: AppKey, typing: Typing): Promise<Packet | undefined> {
  const known = packets.get(typing)
  if (known) return known
  const packet = desk.edge.store.lists.profile(app, typing.sender).then((profile): Packet | undefined => {
    if (!profile) return undefined
    const object = objectName(desk.baseUrl, 'Conversation', conversationId(typing.conversation))
    const data = { sender: basicIdentityView(desk.baseUrl, profile), action: typing.action }
    return { type: 'signal', body: { type: 'typing_indicator', object, data } }
  })
  packets.set(typing, packet)
  return packet
}

const packets = new WeakMap<Typing, Promise<Packet | undefined>>()
