import { identityId } from '@parley/protocol'
import type { Profile } from '../../../model/state.ts'
import { objectName, type Packet, setProperty, updated } from '../packets.ts'
import { identityView } from '../views/identity.ts'
import { NOTHING, type Teller } from './telling.ts'

const CHANGEABLE = [
  ...(['display_name', 'avatar_url', 'first_name', 'last_name'] as const),
  ...(['email_address', 'phone_number', 'public_key', 'metadata'] as const),
]

/** A profile changed: told once for each conversation shared, which costs little and is the same each time. */
export const tellAnnounceProfile: Teller = {
  conversation: ({ desk }, move) =>
    move.rows.flatMap((row) => (row.type === 'participant' ? [profilePacket(desk.baseUrl, row.profile)] : [])),
  inbox: () => NOTHING,
}

function profilePacket(baseUrl: string, profile: Profile): Packet {
  const view = identityView(baseUrl, profile)
  return updated(
    objectName(baseUrl, 'Identity', identityId(profile.userId)),
    CHANGEABLE.map((name) => setProperty(name, view[name])),
  )
}
