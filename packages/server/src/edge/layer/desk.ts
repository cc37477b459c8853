import type { Edge } from '../edge.ts'
import { ConversationStates } from './conversation-states.ts'
import { Presence } from './presence.ts'
import { RecentMessages } from './recent-messages.ts'
import { UnreadCounts } from './unread-counts.ts'

/** What the sockets of Layer's clients share. */
export class LayerDesk {
  readonly edge: Edge
  readonly unread: UnreadCounts
  readonly messages: RecentMessages
  readonly presence: Presence
  readonly states: ConversationStates

  constructor(edge: Edge) {
    this.edge = edge
    this.unread = new UnreadCounts(edge)
    this.messages = new RecentMessages(edge)
    this.presence = new Presence(edge)
    this.states = new ConversationStates(edge)
  }

  get baseUrl(): string {
    return this.edge.baseUrl()
  }
}
