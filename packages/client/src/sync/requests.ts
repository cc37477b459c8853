/**
 * What is asked of the server, and when: whatever is missing here and not on its way. It owns the numbers of requests, the
 * pull and the pages under way on one connection, and the patrol that looks for those nobody answers any more. What is
 * missing is for `Streams` to say, what becomes of an answer for `frame-writer.ts`.
 */
import type { PageFrame, PullFrame, RowsFrame } from '@parley/protocol'
import type { Clock } from '../environment.ts'
import type { Online } from '../online-part.ts'
import type { History } from './history.ts'
import type { Pages } from './pages.ts'
import type { PulledFrame, Pulls } from './pulls.ts'
import type { Streams } from './streams.ts'

/** How often requests that nobody answers are looked for. */
const PATROL_MS = 5_000

export interface RequestsPorts {
  readonly online: Online
  readonly clock: Clock
  readonly streams: Streams
  readonly history: History
  /** There is a connection, and it is known what moved. */
  readonly isReady: () => boolean
  readonly say: (frame: PullFrame | PageFrame) => void
}

/** What rows answer: a page from below `before`, or a pull. */
export type Answered = { readonly before: number | null } | PulledFrame

export class Requests {
  readonly #ports: RequestsPorts
  readonly #pulls: Pulls
  readonly #pages: Pages
  #last = 0
  #cancelPatrol: (() => void) | undefined

  constructor(ports: RequestsPorts) {
    this.#ports = ports
    this.#pulls = new ports.online.Pulls()
    this.#pages = new ports.online.Pages(ports.streams)
  }

  /** Asks for what is missing, unless it is on its way. */
  pursue(): void {
    const { clock, streams, history, isReady, say } = this.#ports
    if (!isReady()) return
    const now = clock.now()
    if (this.#pulls.isIdle) {
      const behind = streams.behind(now)
      if (behind.length > 0) say(this.#pulls.start(++this.#last, behind, now))
    }
    while (!history.isPaused) {
      const page = this.#pages.next(this.#last + 1, now)
      if (!page) return
      this.#last++
      say(page)
    }
  }

  /** Looks for requests that nobody answers any more, now and then. */
  patrol(): void {
    const { clock } = this.#ports
    this.#cancelPatrol?.()
    this.#cancelPatrol = clock.after(PATROL_MS, () => {
      const now = clock.now()
      this.#pulls.expire(now)
      this.#pages.expire(now)
      this.pursue()
      this.patrol()
    })
  }

  hear(frame: RowsFrame): Answered {
    const now = this.#ports.clock.now()
    return this.#pages.hear(frame.id, now) ?? this.#pulls.hear(frame, now)
  }

  /** The patrol asks again, which is soon enough for a server that has just said no. */
  refused(id: number): void {
    this.#pulls.refused(id)
    this.#pages.refused(id)
  }

  /** History can wait: the pages under way are not awaited any more. */
  dropPages(): void {
    this.#pages.reset()
  }

  /** The connection is gone, and what was asked on it with it. */
  reset(): void {
    this.#pulls.reset()
    this.#pages.reset()
    this.#cancelPatrol?.()
  }
}
