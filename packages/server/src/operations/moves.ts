import type { UserId, Uuid } from '@parley/protocol'
import type { ConversationState } from '../model/conversation-state.ts'
import type { BasicProfile, ParticipantRecord } from '../model/state.ts'
import type { StreamRow } from '../store/store.ts'

/** A row that moved, with what a listener may want to know besides. */
export type MovedRow =
  | Extract<StreamRow, { type: 'conversation' }>
  | (Extract<StreamRow, { type: 'participant' }> & { readonly before: ParticipantRecord | undefined })
  | (Extract<StreamRow, { type: 'message' }> & { readonly sender: BasicProfile | undefined })

/** One stream moved: the rows of one operation, with their places. */
export type StreamMove =
  | {
      readonly stream: 'conversation'
      readonly conversation: ConversationState
      after: number
      rows: MovedRow[]
      /** Filled in once all rows are there. */
      sequence: number
      audience: readonly UserId[]
    }
  | {
      readonly stream: 'inbox'
      readonly userId: UserId
      readonly after: number
      rows: { readonly conversation: Uuid; readonly record: ParticipantRecord }[]
      sequence: number
    }

export type ConversationMove = Extract<StreamMove, { stream: 'conversation' }>
export type InboxMove = Extract<StreamMove, { stream: 'inbox' }>

/** How the streams of one operation move, by name. Nearly always it is one stream, which needs no table. */
export class Moves {
  list: StreamMove[] = []
  #first = ''
  #byName: Map<string, StreamMove> | undefined

  of(name: string): StreamMove | undefined {
    return name === this.#first ? this.list[0] : this.#byName?.get(name)
  }

  add<Move extends StreamMove>(name: string, move: Move): Move {
    if (this.list.length === 0) {
      this.#first = name
      this.list = [move]
      return move
    }
    this.#byName ??= new Map()
    this.#byName.set(name, move)
    this.list.push(move)
    return move
  }
}

/** Adds a row to a move. Nearly always it is the only one, and a list that something is pushed to has room for sixteen more. */
export function addRow<Row>(move: { rows: Row[] }, row: Row): void {
  if (move.rows.length === 0) move.rows = [row]
  else move.rows.push(row)
}
