import { parseUuid, type Uuid } from '@parley/protocol'

/** As our own clients begin every operation. */
const BEGINNING = '{"type":"operation","id":"'
const UUID_LENGTH = 36

/**
 * The id of an operation, by a look at how its frame begins; undefined if that does not say. Who has to be turned away is
 * turned away unread: reading costs half of what carrying out does.
 */
export function unreadOperationId(text: string): Uuid | undefined {
  if (!text.startsWith(BEGINNING) || text[BEGINNING.length + UUID_LENGTH] !== '"') return undefined
  return parseUuid(text.slice(BEGINNING.length, BEGINNING.length + UUID_LENGTH))
}
