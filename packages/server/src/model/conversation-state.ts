import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey, ConversationRecord, ParticipantRecord } from './state.ts'
import { isActive } from './state.ts'

/**
 * A conversation with everybody who ever took part: the unit that is loaded, decided upon and kept in memory. It is
 * changed only by the ledger, after a decision, and only from one place at a time.
 */
export class ConversationState {
  readonly app: AppKey
  readonly id: Uuid
  /** The stream's sequence. */
  headSequence: number
  /** Position of the newest message. */
  headPosition: number
  /** When the newest message was sent, or the conversation was created. */
  lastMessageAt: number
  /** How often commits changed it, its participants or its messages; 0 for one that is not stored yet. */
  revision: number
  /** How often they changed what a message's sending rests on: the terms it is sent on. */
  terms: number
  /**
   * What others did there since it was loaded. Messages can be sent all the same, on the same terms; whatever else is to be
   * done has it loaded anew. Where `marks` are missing, `revision` is one that is over: nothing else can be written from it.
   */
  misses: 'nothing' | 'messages' | 'marks' = 'nothing'
  record: ConversationRecord
  readonly participants: Map<UserId, ParticipantRecord>
  #audience: readonly UserId[] | undefined
  #hiddenCount: number

  constructor(loaded: {
    readonly app: AppKey
    readonly record: ConversationRecord
    readonly headSequence: number
    readonly headPosition: number
    readonly lastMessageAt: number
    readonly participants: readonly ParticipantRecord[]
    /** Left out by a store that can have one writer only. */
    readonly revision?: number
    readonly terms?: number
  }) {
    this.app = loaded.app
    this.id = loaded.record.id
    this.record = loaded.record
    this.headSequence = loaded.headSequence
    this.headPosition = loaded.headPosition
    this.lastMessageAt = loaded.lastMessageAt
    this.revision = loaded.revision ?? 0
    this.terms = loaded.terms ?? 0
    this.participants = new Map(loaded.participants.map((participant) => [participant.userId, participant]))
    this.#hiddenCount = loaded.participants.filter((participant) => participant.state === 'hidden').length
  }

  /** Who hears of changes, in the order they joined. The same array until participants change. */
  get audience(): readonly UserId[] {
    this.#audience ??= [...this.participants.values()]
      .filter(isActive)
      .sort((a, b) => a.order - b.order)
      .map((participant) => participant.userId)
    return this.#audience
  }

  /** Participants who deleted the conversation from their devices; asked for on each message, so it is counted. */
  get hasHidden(): boolean {
    return this.#hiddenCount > 0
  }

  activeParticipant(userId: UserId): ParticipantRecord | undefined {
    const participant = this.participants.get(userId)
    return participant && isActive(participant) ? participant : undefined
  }

  /** @returns what takes it back */
  putParticipant(participant: ParticipantRecord): () => void {
    const before = this.participants.get(participant.userId)
    this.participants.set(participant.userId, participant)
    this.#hiddenCount += Number(participant.state === 'hidden') - Number(before?.state === 'hidden')
    const isAudienceChanged = !before || isActive(before) !== isActive(participant)
    if (isAudienceChanged) this.#audience = undefined
    return () => {
      if (before) this.participants.set(before.userId, before)
      else this.participants.delete(participant.userId)
      this.#hiddenCount -= Number(participant.state === 'hidden') - Number(before?.state === 'hidden')
      if (isAudienceChanged) this.#audience = undefined
    }
  }

  /** What was sent here with the last commit came after what others had sent. */
  shift(shift: { sequences: number; positions: number; sentAt: number; revision: number }): void {
    this.headSequence += shift.sequences
    this.headPosition += shift.positions
    this.lastMessageAt = shift.sentAt
    // Each message is one row of the stream: what is more of them, is marks.
    if (shift.sequences > shift.positions) this.misses = 'marks'
    if (this.misses === 'marks') return
    this.misses = 'nothing'
    this.revision = shift.revision
  }

  /** Remembers the conversation and its heads; the answer goes back to them. */
  checkpoint(): () => void {
    const { record, headSequence, headPosition, lastMessageAt } = this
    return () => Object.assign(this, { record, headSequence, headPosition, lastMessageAt })
  }
}
