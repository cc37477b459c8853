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
  const grown = new Set<Run>()
  for (const commit of committed) {
    const move = sentBy(commit)
    const run = move && open.get(move.conversation.id)
    if (move && run?.goesOn(commit, move)) {
      run.add(move)
      grown.add(run)
      continue
    }
    if (move) open.set(move.conversation.id, new Run(commit, move, said.length))
    said.push(commit)
  }
  for (const run of grown) said[run.place] = run.commit
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
  readonly #first: Commit
  readonly #move: ConversationMove
  readonly #rows: MessageRow[]
  #characters: number

  constructor(first: Commit, move: ConversationMove, place: number) {
    this.place = place
    this.#first = first
    this.#move = move
    this.#rows = [messageOf(move)]
    this.#characters = charactersOf(move)
  }

  goesOn({ app, actor }: Commit, move: ConversationMove): boolean {
    return (
      app === this.#first.app &&
      actor === this.#first.actor &&
      move.audience.length === this.#move.audience.length &&
      this.#rows.length < MAX_RUN &&
      follows(this.#rows[this.#rows.length - 1]!, messageOf(move)) &&
      this.#characters + charactersOf(move) <= MAX_ROWS_BYTES
    )
  }

  add(move: ConversationMove): void {
    this.#rows.push(messageOf(move))
    this.#characters += charactersOf(move)
  }

  get commit(): Commit {
    const { app, actor, operation, input, cursor, at } = this.#first
    const { stream, conversation, after, audience } = this.#move
    const rows = this.#rows
    const sequence = rows[rows.length - 1]!.record.sequence
    const moves = [{ stream, conversation, after, sequence, audience, rows }]
    return { app, actor, operation, input, cursor, at, moves }
  }
}

const messageOf = ({ rows }: ConversationMove) => rows[0] as MessageRow
const charactersOf = (move: ConversationMove) => partsTextOf(messageOf(move).record).length
