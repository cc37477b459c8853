/**
 * Pages of history under way on one connection, and how large the next one is. It owns that bookkeeping; `Streams` says
 * whose turn it is, `requests.ts` asks.
 */
import { type ConversationId, clientLimits, type PageFrame } from '@parley/protocol'
import type { Streams } from './streams.ts'

/** Two: while one is written, the next is on its way. */
const MAX_PAGES_UNDER_WAY = 2
export const PAGE_PATIENCE_MS = 30_000

const FIRST_LIMIT = 50
const MIN_LIMIT = 10
const MAX_LIMIT = clientLimits.maxRowsPerFrame
/** Pages grow while they take less than this and shrink when they take longer, so that sends are never stuck behind. */
const PAGE_TARGET_MS = 1_000

interface Page {
  readonly conversation: ConversationId
  readonly before: number | null
  readonly askedAt: number
}

export class Pages {
  readonly #streams: Streams
  readonly #pages = new Map<number, Page>()
  #limit = FIRST_LIMIT

  constructor(streams: Streams) {
    this.#streams = streams
  }

  /** The next page to ask for, if it is time for one. */
  next(id: number, now: number): PageFrame | undefined {
    if (this.#pages.size >= MAX_PAGES_UNDER_WAY) return undefined
    const next = this.#streams.nextForHistory(now, (each) => this.#isAskedFor(each))
    if (!next) return undefined
    this.#pages.set(id, { ...next, askedAt: now })
    return { type: 'page', id, ...next, limit: this.#limit }
  }

  /** The page this frame answers; undefined if nobody asked, or it was answered before. */
  hear(id: number, now: number): { readonly before: number | null } | undefined {
    const page = this.#pages.get(id)
    if (!page) return undefined
    this.#pages.delete(id)
    this.#limit = nextLimit(this.#limit, now - page.askedAt)
    return page
  }

  expire(now: number): void {
    for (const [id, page] of this.#pages) if (now - page.askedAt >= PAGE_PATIENCE_MS) this.#pages.delete(id)
  }

  refused(id: number): void {
    this.#pages.delete(id)
  }

  reset(): void {
    this.#pages.clear()
  }

  #isAskedFor(conversation: ConversationId): boolean {
    return [...this.#pages.values()].some((page) => page.conversation === conversation)
  }
}

export function nextLimit(limit: number, elapsedMs: number): number {
  if (elapsedMs > PAGE_TARGET_MS) return Math.max(MIN_LIMIT, Math.floor(limit / 2))
  return elapsedMs < PAGE_TARGET_MS / 4 ? Math.min(MAX_LIMIT, limit * 2) : limit
}
