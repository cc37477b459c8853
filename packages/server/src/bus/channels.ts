/** Where something is said. */
import type { Channel } from './bus.ts'
import type { Commit, CommitHint, NodeMessage } from './messages.ts'

/** The channel on which one node alone is spoken to. A name may have dots, which mean something to NATS, and no tilde. */
export const channelTo = (node: string): Channel => `to.${node.replaceAll('.', '~')}`

/** The channels that every node hears, and which of them something belongs on. */
export class Channels {
  readonly all: readonly Channel[]
  readonly #partitions: number

  /** @param partitions that changes and signals are spread over; the same number at every node */
  constructor(partitions = 1) {
    this.#partitions = partitions
    const each = Array.from({ length: partitions }, (_, i) => i)
    this.all = [
      'nodes',
      'people',
      ...each.map((partition): Channel => `changes.${partition}`),
      ...each.map((partition): Channel => `signals.${partition}`),
    ]
  }

  of(message: Exclude<NodeMessage, CommitHint>): Channel {
    switch (message.type) {
      case 'typing':
        return `signals.${this.#partition(`${message.app} ${message.conversation}`)}`
      case 'person':
      case 'everybody':
      case 'who-is-there':
        return 'people'
      default:
        return 'nodes'
    }
  }

  /** A commit lies where its first stream lies. */
  ofCommit({ app, moves }: Commit): Channel {
    const [move] = moves
    if (!move) return 'changes.0'
    return `changes.${this.#partition(`${app} ${move.stream === 'conversation' ? move.conversation.id : move.userId}`)}`
  }

  #partition(stream: string): number {
    return this.#partitions === 1 ? 0 : hash(stream) % this.#partitions
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}
