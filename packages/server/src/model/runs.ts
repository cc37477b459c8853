import type { UserId, Uuid } from '@parley/protocol'
import { partsTextOf } from './message-text.ts'
import { type AppKey, type BasicProfile, isAsSent, type MessageRecord } from './state.ts'

/** Messages that are told at once. */
export const MAX_RUN = 50
/** What the JSON of their parts may come to. */
export const MAX_RUN_CHARACTERS = 16 * 1024
/** Who is told of them, at most: they are named wherever the run is told of. */
export const MAX_RUN_AUDIENCE = 32

/** A message as a commit moved it. */
export interface MessageRow {
  readonly type: 'message'
  readonly record: MessageRecord
  readonly sender: BasicProfile | undefined
}

/** What of a commit matters here; those of the write lane and of the bus fit. */
export interface RunCommit {
  readonly app: AppKey
  readonly actor: UserId | null
  readonly operation: string
  readonly moves: readonly (AnyMove | { readonly stream: 'inbox' })[]
}

interface AnyMove {
  readonly stream: 'conversation'
  readonly conversation: { readonly id: Uuid }
  readonly after: number
  readonly sequence: number
  readonly audience: readonly UserId[]
  readonly rows: readonly (MessageRow | { readonly type: 'conversation' | 'participant' })[]
}

/** How a conversation moved by messages that one person sent, with nothing between them. */
type RunMove = Omit<AnyMove, 'rows'> & { readonly rows: readonly MessageRow[] }

/**
 * What was committed, with messages that one person sent one after the other in a conversation made one commit of several
 * rows: they say the same but for their ids and parts, and concern the same people. Within a stream the order stays.
 * @param committed by one batch: at one time, with one cursor
 */
export function inRuns<Commit extends RunCommit>(committed: readonly Commit[]): readonly Commit[] {
  if (committed.length < 2) return committed
  const told: Commit[] = []
  const open = new Map<string, Run<Commit>>()
  const grown = new Set<Run<Commit>>()
  for (const commit of committed) {
    const move = runOf(commit)
    const run = move && open.get(move.conversation.id)
    if (move && run?.goesOn(commit, move)) {
      run.add(move)
      grown.add(run)
      continue
    }
    if (move) open.set(move.conversation.id, new Run(commit, move, told.length))
    told.push(commit)
  }
  for (const run of grown) told[run.place] = run.commit
  return told
}

/** What a commit moved, if it is a run: messages as they were sent and nothing else, to people who can be named. */
export function runOf({ operation, moves }: RunCommit): RunMove | undefined {
  const [move] = moves
  if (operation !== 'send-message' || moves.length !== 1 || move?.stream !== 'conversation') return undefined
  const { rows, audience } = move
  if (rows.length === 0 || rows.length > MAX_RUN || audience.length > MAX_RUN_AUDIENCE) return undefined
  let before: MessageRow | undefined
  for (const row of rows) {
    if (!isNew(row) || (before && !follows(before, row))) return undefined
    before = row
  }
  return move as RunMove
}

const isNew = (row: AnyMove['rows'][number]): row is MessageRow =>
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
class Run<Commit extends RunCommit> {
  /** Where it is told. */
  readonly place: number
  readonly #first: Commit
  readonly #move: RunMove
  readonly #rows: MessageRow[]
  #characters: number

  constructor(first: Commit, move: RunMove, place: number) {
    this.place = place
    this.#first = first
    this.#move = move
    this.#rows = [...move.rows]
    this.#characters = charactersOf(move)
  }

  goesOn({ app, actor }: RunCommit, move: RunMove): boolean {
    return (
      app === this.#first.app &&
      actor === this.#first.actor &&
      move.audience.length === this.#move.audience.length &&
      this.#rows.length + move.rows.length <= MAX_RUN &&
      follows(this.#rows[this.#rows.length - 1]!, move.rows[0]!) &&
      this.#characters + charactersOf(move) <= MAX_RUN_CHARACTERS
    )
  }

  add(move: RunMove): void {
    this.#rows.push(...move.rows)
    this.#characters += charactersOf(move)
  }

  get commit(): Commit {
    const rows = this.#rows
    const { sequence } = rows[rows.length - 1]!.record
    return { ...this.#first, moves: [{ ...this.#move, sequence, rows }] }
  }
}

/** Of the parts in JSON, with what comes between one message's and the next. */
const charactersOf = ({ rows }: RunMove) => rows.reduce((sum, { record }) => sum + partsTextOf(record).length + 1, 0)
