import type { Part, UserId, Uuid } from '@parley/protocol'
import type { MessageRecord } from '../model/state.ts'
import { isParts } from './guards.ts'

type Sent = Pick<MessageRecord, 'id' | 'conversation' | 'position' | 'sender' | 'sentAt' | 'sequence' | 'changedAt'> & {
  readonly partsText: string
}

/**
 * A message that another node says was sent. Its parts are the text that they came in, which is what most listeners are
 * told; they are read by whoever asks for them.
 */
export class HeardMessage implements MessageRecord {
  readonly id: Uuid
  readonly conversation: Uuid
  readonly position: number
  readonly sender: UserId
  readonly sentAt: number
  readonly deletedAt = null
  readonly sequence: number
  readonly firstSequence: number
  readonly changedAt: number
  readonly partsText: string

  constructor({ id, conversation, position, sender, sentAt, sequence, changedAt, partsText }: Sent) {
    this.id = id
    this.conversation = conversation
    this.position = position
    this.sender = sender
    this.sentAt = sentAt
    this.sequence = sequence
    this.firstSequence = sequence
    this.changedAt = changedAt
    this.partsText = partsText
  }

  /** @throws if they are none: no node says so of what it committed */
  get parts(): readonly Part[] {
    const parts: unknown = JSON.parse(this.partsText)
    if (!isParts(parts)) throw new Error(`Another server told of parts of message ${this.id} that are none.`)
    return parts
  }
}
