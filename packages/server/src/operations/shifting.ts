import { AppMap } from '../model/app-map.ts'
import type { Shift } from '../store/store.ts'
import type { Outcome, Waiting } from './lane-request.ts'
import type { Ledger } from './ledger.ts'
import { resultOf } from './send-message.ts'

/**
 * A batch is committed, and some of its messages lie after those that others had sent meanwhile. Puts right what was made of
 * it while that was not known: rows, heads of conversations, moves and outcomes, before anybody is told of them.
 *
 *     believed   … 7 │ 8 ours   9 ours              shifted by 2:  after 9 instead of 7, our messages at 10 and 11
 *     committed  … 7 │ 8 theirs 9 theirs │ 10 ours 11 ours
 */
export function shiftBatch(batch: readonly Waiting[], ledger: Ledger, shifts: readonly Shift[]): void {
  const byConversation = new AppMap<Shift>()
  for (const shift of shifts) byConversation.set(shift.app, shift.key, shift)
  ledger.shift(byConversation)
  for (const waiting of batch) {
    shiftMoves(waiting, byConversation)
    waiting.outcome = shiftedOutcome(waiting, ledger, byConversation)
  }
}

function shiftMoves({ moves, request: { app } }: Waiting, shifts: AppMap<Shift>): void {
  for (const move of moves) {
    const shift = move.stream === 'conversation' && shifts.get(app, move.conversation.id)
    if (!shift) continue
    move.after += shift.sequences
    move.sequence += shift.sequences
  }
}

function shiftedOutcome({ outcome, reads, request: { app } }: Waiting, ledger: Ledger, shifts: AppMap<Shift>): Outcome {
  if ('refusal' in outcome || outcome.stream === 'inbox') return outcome
  const shift = shifts.get(app, outcome.stream)
  if (!shift) return outcome
  const { stream, sequence, hasChanged } = outcome
  // A repeat of what was sent with an earlier batch is where it was.
  const sent = reads.newMessage && ledger.message(app, reads.newMessage)
  const result = sent ? resultOf(sent) : outcome.result
  return { result, stream, sequence: sequence + shift.sequences, hasChanged }
}
