/**
 * How much of the history is on the device, as the app is shown it. It owns the count of messages and whether there is room
 * for more; which conversations are whole is for `Streams` to say, what is fetched next for `requests.ts`.
 */
import { share } from '../queries/share.ts'
import type { Streams } from './streams.ts'

export type HistoryProgress = {
  /** `paused`: the device has no room; it goes on by itself when there is some. */
  readonly state: 'waiting' | 'running' | 'paused' | 'complete'
  /** Conversations whose whole history is on the device. */
  readonly conversationsDone: number
  readonly conversationsTotal: number
  /** Messages on the device. */
  readonly messages: number
}

export const NO_HISTORY: HistoryProgress = {
  state: 'waiting',
  conversationsDone: 0,
  conversationsTotal: 0,
  messages: 0,
}

export class History {
  readonly #streams: Streams
  /** The device has no room for it. */
  isPaused = false
  /** Messages on the device. */
  messages = 0
  #progress = NO_HISTORY

  constructor(streams: Streams) {
    this.#streams = streams
  }

  /** The same object as long as it says the same. Nothing is complete before the conversations were heard of. */
  progress(isLive: boolean, hasHeard = true): HistoryProgress {
    const counts = { ...this.#streams.progress(), messages: this.messages }
    const isComplete = hasHeard && counts.conversationsDone === counts.conversationsTotal
    const state = this.isPaused ? 'paused' : isComplete ? 'complete' : isLive ? 'running' : 'waiting'
    this.#progress = share(this.#progress, { state, ...counts })
    return this.#progress
  }
}
