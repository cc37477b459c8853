import type { UserId, Uuid } from '@parley/protocol'
import { AppMap } from '../model/app-map.ts'
import type { AppKey } from '../model/state.ts'
import type { Committed } from './committed.ts'
import type { ChangedElsewhere } from './working-set.ts'

/** Conversations noted for each of those who are here, to be forgotten when they go; the others are found out to be old. */
const MAX_NOTED = 16

export interface UnheardOptions {
  /** Conversations of more people than these are heard of by all servers. */
  readonly maxAudience: number
  isListening(app: AppKey, userId: UserId): boolean
  forget(changed: ChangedElsewhere): void
}

/**
 * What the lane had better not remember: other servers tell this one only what concerns the people who are here, so that it
 * does not hear of changes to conversations of which nobody is. Remembering them would do no harm, since each commit is
 * compared with the truth, but being late costs more than loading: whoever comes back and writes first would be.
 */
export class Unheard {
  readonly #options: UnheardOptions
  readonly #noted = new AppMap<Uuid[]>()

  constructor(options: UnheardOptions) {
    this.#options = options
  }

  /** This server committed. */
  committed(committed: readonly Committed[]): void {
    for (const { app, actor, moves } of committed) {
      if (actor !== null && !this.#options.isListening(app, actor)) this.#forget(app, [], [actor])
      for (const move of moves) {
        if (move.stream === 'inbox' || move.audience.length > this.#options.maxAudience) continue
        this.#written(app, move.conversation.id, move.audience)
      }
    }
  }

  /** Somebody's first connection came to this server, or their last one went. */
  listening(app: AppKey, userId: UserId, isListening: boolean): void {
    const noted = this.#noted.get(app, userId) ?? []
    if (!isListening) this.#noted.delete(app, userId)
    this.#forget(app, noted, [userId])
  }

  #written(app: AppKey, conversation: Uuid, audience: readonly UserId[]): void {
    let isHeard = false
    for (const userId of audience) {
      if (!this.#options.isListening(app, userId)) continue
      isHeard = true
      this.#note(app, userId, conversation)
    }
    if (!isHeard) this.#forget(app, [conversation], [])
  }

  #note(app: AppKey, userId: UserId, conversation: Uuid): void {
    const noted = this.#noted.get(app, userId)
    if (!noted) this.#noted.set(app, userId, [conversation])
    else if (!noted.includes(conversation)) {
      if (noted.length === MAX_NOTED) noted.shift()
      noted.push(conversation)
    }
  }

  #forget(app: AppKey, conversations: readonly Uuid[], people: readonly UserId[]): void {
    const unknown = conversations.map((id) => ({ id, sequence: null }))
    this.#options.forget({ app, conversations: unknown, people, messages: [] })
  }
}
