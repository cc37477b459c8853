import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey } from '../model/state.ts'
import { type Commit, type CommitHint, type CommitMove, MAX_NAMED_AUDIENCE } from './messages.ts'

/** Moves remembered. At 5,000 messages a second that is most of {@link KEPT_MS}. */
const CAPACITY = 4_096
/** How long each is remembered. Who comes is known after some milliseconds, and what is said twice costs a look. */
const KEPT_MS = 1_000

/** People, by app. */
export type Names = ReadonlyMap<AppKey, ReadonlySet<UserId>>

interface Entry {
  app: AppKey
  cursor: number
  at: number
  /** A conversation, or whose inbox. */
  conversation: Uuid | null
  userId: UserId | null
  after: number
  sequence: number
  /** Who hears of a conversation. */
  audience: readonly UserId[]
  /** Lives of nodes that were told. */
  told: readonly string[]
  /** When it was to be said, on the clock that does not jump. */
  saidAt: number
}

/**
 * What this node committed a moment ago and told only those nodes whose people it concerned. Somebody may have come to
 * another node just before, of which this one did not know yet: that node is told as soon as it does. Only that a stream
 * moved: the rows lie in the store. A ring, the places of which are used again: new objects that live this long are what a
 * collector fears. Times are those of a clock that does not jump.
 */
export class Untold {
  readonly #capacity: number
  readonly #ring: Entry[] = []
  #next = 0
  #forgottenAt = Number.NEGATIVE_INFINITY

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity
  }

  add(commit: Commit, told: readonly string[], now: number): void {
    for (const move of commit.moves) {
      const entry = this.#ring[this.#next]
      if (entry) {
        this.#forgottenAt = entry.saidAt
        fill(entry, commit, move, told, now)
      } else this.#ring[this.#next] = fill({} as Entry, commit, move, told, now)
      this.#next = (this.#next + 1) % this.#capacity
    }
  }

  /** For how long nothing is missing here. */
  reachesMs(now: number): number {
    return Math.max(0, Math.min(KEPT_MS, Math.floor(now - this.#forgottenAt)))
  }

  /** What concerns any of these people and was not told to this life of a node, the oldest first. */
  missedBy(life: string, people: Names, now: number): CommitHint[] {
    const missed: CommitHint[] = []
    for (let i = 1; i <= this.#ring.length; i++) {
      const entry = this.#ring[(this.#next + this.#ring.length - i) % this.#ring.length]!
      if (now - entry.saidAt > KEPT_MS) break
      const ofApp = people.get(entry.app)
      if (ofApp && !entry.told.includes(life) && isFor(entry, ofApp)) missed.unshift(hintOf(entry))
    }
    return missed
  }
}

function fill(
  entry: Entry,
  { app, cursor, at }: Commit,
  move: CommitMove,
  told: readonly string[],
  now: number,
): Entry {
  const isInbox = move.stream === 'inbox'
  entry.app = app
  entry.cursor = cursor
  entry.at = at
  entry.conversation = isInbox ? null : move.conversation.id
  entry.userId = isInbox ? move.userId : null
  entry.after = move.after
  entry.sequence = move.sequence
  entry.audience = isInbox ? NOBODY : move.audience
  entry.told = told
  entry.saidAt = now
  return entry
}

const isFor = ({ userId, audience }: Entry, people: ReadonlySet<UserId>) =>
  userId === null ? audience.some((one) => people.has(one)) : people.has(userId)

/** That a stream moved: its rows have to be read, so that it does not matter by what. */
function hintOf({ app, cursor, at, conversation, userId, after, sequence, audience }: Entry): CommitHint {
  const move =
    conversation === null
      ? { stream: 'inbox' as const, userId: userId!, after, sequence, rows: null }
      : {
          ...{ stream: 'conversation' as const, id: conversation, after, sequence, rows: null },
          audience: audience.length <= MAX_NAMED_AUDIENCE ? audience : null,
        }
  return { type: 'committed', app, actor: null, operation: 'told-late', cursor, at, moves: [move] }
}

const NOBODY: readonly UserId[] = []
