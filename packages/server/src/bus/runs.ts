import { partsTextOf } from '../model/message-text.ts'
import { isAsSent } from '../model/state.ts'
import { type Commit, type CommitMove, type HintRow, MAX_NAMED_AUDIENCE, MAX_ROWS_BYTES } from './messages.ts'

/** Messages that are said at once. */
export const MAX_RUN = 50

type ConversationMove = Extract<CommitMove, { stream: 'conversation' }>
type MessageRow = Extract<HintRow, { type: 'message' }>

/**
 * What was committed, with messages that one person sent one after the other in a conversation made one commit of several
 * rows: they say the same but for their ids and parts, and concern the same people. Within a stream the order stays.
 */
export function inRuns(committed: readonly Commit[]): readonly Commit[] {
  if (committed.length < 2) return committed
  const said: Commit[] = []
  const open = new Map<string, Run>()
  for (const commit of committed) {
    const move = sentBy(commit)
    const run = move && open.get(move.conversation.id)
    if (move && run?.goesOn(commit, move)) {
      said[run.place] = run.with(move)
      continue
    }
    if (move) open.set(move.conversation.id, new Run(commit, move, said.length))
    said.push(commit)
  }
  return said
}

/** The messages of a commit if they are all of it, are as they were sent, and are a run: one's, with nothing between them. */
export function runOf({ operation, moves }: Commit): readonly MessageRow[] | undefined {
  const [move] = moves
  if (operation !== 'send-message' || moves.length !== 1 || move?.stream !== 'conversation') return undefined
  const { rows, audience } = move
  if (rows.length === 0 || rows.length > MAX_RUN || audience.length > MAX_NAMED_AUDIENCE) return undefined
  let before: HintRow | undefined
  for (const row of rows) {
    if (!isNew(row) || (before && !follows(before as MessageRow, row))) return undefined
    before = row
  }
  return rows as readonly MessageRow[]
}

/** How a commit moved a conversation, if it is one message that was sent and nothing else. */
function sentBy({ operation, moves }: Commit): ConversationMove | undefined {
  const [move] = moves
  if (operation !== 'send-message' || moves.length !== 1 || move?.stream !== 'conversation') return undefined
  return move.rows.length === 1 && isNew(move.rows[0]!) ? move : undefined
}

const isNew = (row: HintRow): row is MessageRow =>
  row.type === 'message' && isAsSent(row.record) && row.record.deletedAt === null

function follows({ record: before }: MessageRow, { record }: MessageRow): boolean {
  return (
    record.position === before.position + 1 &&
    record.sequence === before.sequence + 1 &&
    record.sender === before.sender &&
    record.sentAt === before.sentAt &&
    record.changedAt === before.changedAt
  )
}

/** A run that may grow. */
class Run {
  /** Where it is said. */
  readonly place: number
  #commit: Commit
  #move: ConversationMove
  /** A list of its own, once it is of several. */
  #rows: HintRow[] | undefined
  #characters: number

  constructor(commit: Commit, move: ConversationMove, place: number) {
    this.place = place
    this.#commit = commit
    this.#move = move
    this.#characters = charactersOf(move)
  }

  goesOn(commit: Commit, { after, audience, rows }: ConversationMove): boolean {
    const { app, actor } = this.#commit
    const own = this.#move
    const last = own.rows[own.rows.length - 1] as MessageRow
    return (
      commit.app === app &&
      commit.actor === actor &&
      after === own.sequence &&
      audience.length === own.audience.length &&
      own.rows.length < MAX_RUN &&
      follows(last, rows[0] as MessageRow) &&
      this.#characters + charactersOf({ rows }) <= MAX_ROWS_BYTES
    )
  }

  with(move: ConversationMove): Commit {
    this.#characters += charactersOf(move)
    this.#rows ??= [...this.#move.rows]
    this.#rows.push(move.rows[0]!)
    this.#move = { ...this.#move, sequence: move.sequence, rows: this.#rows }
    this.#commit = { ...this.#commit, moves: [this.#move] }
    return this.#commit
  }
}

const charactersOf = ({ rows }: Pick<ConversationMove, 'rows'>) => partsTextOf((rows[0] as MessageRow).record).length
