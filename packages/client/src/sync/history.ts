/**
 * The history of every conversation, newest first, in the background. It owns which pages are under way, how large the
 * next one is, and the progress the app is shown; `Streams` says whose turn it is, the engine sends and merges.
 */
import { limits, type PageFrame, type StreamId } from '@parley/protocol'
import { share } from '../queries/share.ts'
import type { StoredStream } from '../replica/replica.ts'
import { needsFirstPage, type Streams } from './streams.ts'

/** Two: while one is written, the next is on its way. */
const MAX_PAGES_UNDER_WAY = 2
export const PAGE_PATIENCE_MS = 30_000

const FIRST_LIMIT = 50
const MIN_LIMIT = 10
const MAX_LIMIT = limits.maxRowsPerFrame
/** Pages grow while they take less than this and shrink when they take longer, so that sends are never stuck behind. */
const PAGE_TARGET_MS = 1_000

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

interface Page {
  readonly stream: StreamId
  readonly before: number | null
  readonly askedAt: number
}

export class History {
  readonly #streams: Streams
  readonly #pages = new Map<number, Page>()
  #limit = FIRST_LIMIT
  /** The device has no room for it. */
  isPaused = false
  /** Messages on the device. */
  messages = 0
  #progress = NO_HISTORY

  constructor(streams: Streams) {
    this.#streams = streams
  }

  /** The next page to ask for, if it is time for one. */
  next(id: number, now: number): PageFrame | undefined {
    if (this.isPaused || this.#pages.size >= MAX_PAGES_UNDER_WAY) return undefined
    const stream = this.#streams.nextForHistory(now, (each) => this.#isAskedFor(each))
    if (!stream) return undefined
    const before = beforeOf(stream)
    this.#pages.set(id, { stream: stream.stream, before, askedAt: now })
    // The stream is a conversation's: the inbox has no history.
    return { type: 'page', id, conversation: stream.stream as PageFrame['conversation'], before, limit: this.#limit }
  }

  /** The page this frame answers; undefined if nobody asked, or it was answered before. */
  hear(id: number, now: number): { readonly before: number | null } | undefined {
    const page = this.#pages.get(id)
    if (!page) return undefined
    this.#pages.delete(id)
    this.#limit = nextLimit(this.#limit, now - page.askedAt)
    return { before: page.before }
  }

  expire(now: number): void {
    for (const [id, page] of this.#pages) if (now - page.askedAt >= PAGE_PATIENCE_MS) this.#pages.delete(id)
  }

  refused(id: number): boolean {
    return this.#pages.delete(id)
  }

  reset(): void {
    this.#pages.clear()
  }

  /** The same object as long as it says the same. Nothing is complete before the conversations were heard of. */
  progress(isLive: boolean, hasHeard = true): HistoryProgress {
    const counts = { ...this.#streams.progress(), messages: this.messages }
    const isComplete = hasHeard && counts.conversationsDone === counts.conversationsTotal
    const state = this.isPaused ? 'paused' : isComplete ? 'complete' : isLive ? 'running' : 'waiting'
    this.#progress = share(this.#progress, { state, ...counts })
    return this.#progress
  }

  #isAskedFor(stream: StreamId): boolean {
    return [...this.#pages.values()].some((page) => page.stream === stream)
  }
}

/** Where the next page of a conversation begins; null for the first. */
function beforeOf(stream: StoredStream): number | null {
  return needsFirstPage(stream) ? null : stream.oldest
}

export function nextLimit(limit: number, elapsedMs: number): number {
  if (elapsedMs > PAGE_TARGET_MS) return Math.max(MIN_LIMIT, Math.floor(limit / 2))
  return elapsedMs < PAGE_TARGET_MS / 4 ? Math.min(MAX_LIMIT, limit * 2) : limit
}
