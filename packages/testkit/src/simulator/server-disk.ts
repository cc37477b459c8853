/**
 * The server's disk: the store in memory behind a port that takes its time. A commit whose promise has resolved is kept
 * whatever happens; one that is under way at a crash is kept or lost, as chance wants it, and then so is every later one.
 */
import {
  emptyTables,
  memoryApps,
  memoryLists,
  memoryLog,
  memoryStreams,
  type Place,
  type Store,
  StoreOutage,
  type Tables,
  type Writes,
} from '@parley/server/in-process'
import type { SeededChance } from '../seeded-chance.ts'
import type { Process } from './device-disk.ts'
import type { Timeline } from './timeline.ts'

interface Job {
  readonly run: () => void
  isDone: boolean
}

/** What a mutation may do to the store. */
export interface StoreMutation {
  /** False: the commit is said to have happened, and has not. */
  readonly keeps?: (writes: Writes) => boolean
  /** Alters what the port answers. */
  readonly answers?: (method: string, answer: unknown) => unknown
  /** Alters what is written. */
  readonly writes?: (writes: Writes) => Writes
  /** Says that a commit is safe before it is. */
  readonly isHasty?: boolean
}

export class ServerDisk {
  readonly tables: Tables = emptyTables()
  readonly epoch: string
  readonly #secret: string
  readonly #timeline: Timeline
  readonly #chance: SeededChance
  readonly #accessMs: number
  /** In the order they were given to the writer. */
  #underWay: Job[] = []
  readonly #freeAt = { writer: 0, reader: 0 }
  /** Until then the disk is full: nothing is written, everything can be read. */
  fullUntil = 0
  commits = 0
  /** Commits under way at a crash: kept, and lost. */
  keptAtCrash = 0
  lostAtCrash = 0
  refused = 0
  mutation: StoreMutation = {}
  onCommit: (writes: Writes) => void = () => undefined
  /** Called once, when the next commit is under way. */
  onNextCommit: (() => void) | undefined

  constructor(timeline: Timeline, chance: SeededChance, accessMs: number) {
    this.#timeline = timeline
    this.#chance = chance
    this.#accessMs = accessMs
    const name = () => Buffer.from(chance.bytes(16)).toString('hex')
    this.epoch = name()
    this.#secret = name()
  }

  /** The store as one process of the server sees it. */
  open(process: Process): Store {
    const { tables } = this
    const port = <Port extends object>(parts: object, threadOf: (method: string) => 'writer' | 'reader'): Port =>
      Object.fromEntries(
        Object.entries(parts).map(([method, work]: [string, (...args: unknown[]) => unknown]) => [
          method,
          (...args: unknown[]) =>
            this.#call(process, threadOf(method), method === 'commit', () => {
              const answer = work(...args)
              return this.mutation.answers ? this.mutation.answers(method, answer) : answer
            }),
        ]),
      ) as Port
    const log = memoryLog(tables)
    const commit = (writes: Writes): Place => {
      if (this.#timeline.now < this.fullUntil) {
        this.refused++
        throw new StoreOutage('The simulated disk is full.')
      }
      if (this.mutation.keeps?.(writes) === false) return { cursor: writes.cursor, settled: writes.cursor - 1 }
      const wanted = this.mutation.writes?.(writes) ?? writes
      const place = log.commit(wanted)
      this.commits++
      this.onCommit(wanted)
      return place
    }
    return {
      epoch: this.epoch,
      log: port({ ...log, commit }, () => 'writer'),
      streams: port(memoryStreams(tables), () => 'reader'),
      lists: port(memoryLists(tables), () => 'reader'),
      apps: port(memoryApps(tables, this.#secret), (method) =>
        /^(create|put|end(?!edSince))/.test(method) ? 'writer' : 'reader',
      ),
      close: async () => undefined,
    }
  }

  /** The power goes. */
  crash(): void {
    const unflushed = this.#underWay.filter((job) => !job.isDone)
    const kept = this.#chance.below(unflushed.length + 1)
    for (const job of unflushed.slice(0, kept)) job.run()
    this.keptAtCrash += this.#underWay.length - unflushed.length + kept
    this.lostAtCrash += unflushed.length - kept
    this.#underWay = []
    this.#freeAt.writer = 0
    this.#freeAt.reader = 0
  }

  #call(process: Process, thread: 'writer' | 'reader', isWrite: boolean, work: () => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (process.isDead) return
      let settle = () => {}
      const job: Job = {
        isDone: false,
        run: () => {
          if (job.isDone) return
          job.isDone = true
          try {
            const answer = work()
            settle = () => resolve(answer)
          } catch (error) {
            settle = () => reject(error as Error)
          }
        },
      }
      const finish = () => {
        // Whoever died does not hear the answer, though the work may be done.
        if (!process.isDead) settle()
      }
      if (this.#accessMs === 0 && !isWrite) {
        job.run()
        finish()
        return
      }
      if (isWrite) {
        this.#underWay.push(job)
        const { onNextCommit } = this
        this.onNextCommit = undefined
        onNextCommit?.()
      }
      const { now } = this.#timeline
      this.#freeAt[thread] = Math.max(this.#freeAt[thread], now) + this.#delay()
      if (isWrite && this.mutation.isHasty) resolve(undefined)
      this.#timeline.after(this.#freeAt[thread] - now, () => {
        if (process.isDead) return
        job.run()
        if (!isWrite) {
          finish()
          return
        }
        // Between the flush and the word of it there is time to die.
        this.#timeline.after(this.#delay(), () => {
          this.#underWay = this.#underWay.filter((other) => other !== job)
          finish()
        })
      })
    })
  }

  #delay(): number {
    return this.#accessMs === 0 ? 0 : this.#chance.below(this.#accessMs)
  }
}
