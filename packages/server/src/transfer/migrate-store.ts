import { randomUUID } from 'node:crypto'
import { reached } from '../fail-point.ts'
import { shownUrl } from '../store/postgres/migrate.ts'
import { troubleOf } from '../store/postgres/outages.ts'
import { isPostgresUrl } from '../store/postgres/postgres-store.ts'
import { storeFile } from '../store/sqlite/sqlite-store.ts'
import type { TransferMark } from '../store/sqlite/transfer-mark.ts'
import { StoreOpenError } from '../store/store.ts'
import { compareAll, compareChanged } from './compare.ts'
import { catchUp, copyTables } from './copy.ts'
import { cutOver, TooSlow } from './cut-over.ts'
import { Counter, type TransferProgress } from './progress.ts'
import { TransferRefused } from './refusal.ts'
import { Source } from './source.ts'
import { askToStandBy, untilOver } from './stand-by.ts'
import { Target, type TargetState } from './target.ts'

export interface TransferOptions {
  readonly dataFolder: string
  /** Such as `postgres://parley@db.example/parley`. */
  readonly to: string
  readonly onProgress?: (progress: TransferProgress) => void
}

export interface Transferred {
  /** `done` in this run; `was-done` by an earlier one. */
  readonly state: 'done' | 'was-done'
  /** For how long the file could not be written to; undefined if that was in an earlier run. */
  readonly pausedMs: number | undefined
  /** The server that ran on the file, and whether it serves from the database now. */
  readonly server: { readonly pid: number; readonly isOver: boolean } | undefined
}

/** A database that went away is waited for, if it was there before. */
const OUTAGE_MS = 60_000
const RETRY_MS = 1_000
/** So few changes are carried over in the pause. */
const FEW_CHANGES = 2_000
/** How often changes are caught up with before the pause, and how often the pause is tried. */
const MAX_PASSES = 50
const MAX_CUTS = 5

/**
 * Moves a store from its file to PostgreSQL, while a server runs on it or not. Whatever ends it before it is done leaves
 * the store where it was, and the same call goes on from there.
 * @throws TransferRefused if it must not be done; the sentence says why
 * @throws StoreOpenError if a side cannot be used
 */
export async function migrateStore({ dataFolder, to, onProgress }: TransferOptions): Promise<Transferred> {
  if (!isPostgresUrl(to)) throw new TransferRefused(`A store's address begins with postgres://, and ${to} does not.`)
  const source = new Source(storeFile(dataFolder))
  try {
    return await new Transfer(source, to, onProgress ?? (() => undefined)).run()
  } finally {
    source.close()
  }
}

/** Takes back a transfer that is not over: the file is as if there had been none, and the database is empty again. */
export async function abandonMigration({ dataFolder, to }: Pick<TransferOptions, 'dataFolder' | 'to'>): Promise<void> {
  const source = new Source(storeFile(dataFolder))
  try {
    const { mark } = source
    if (mark?.state === 'gone') throw new TransferRefused(`The store was moved to ${mark.to}; that is not taken back.`)
    const target = await Target.open(to)
    try {
      const state = await target.state()
      const isOurs = state !== undefined && state.state === 'filling' && state.id === mark?.id
      if (state && !isOurs) throw new TransferRefused(`What is in ${shownUrl(to)} was not brought by this transfer.`)
      if (isOurs) await target.empty()
    } finally {
      target.close()
    }
    if (mark) source.abandon()
  } finally {
    source.close()
  }
}

class Transfer {
  readonly #source: Source
  readonly #to: string
  readonly #say: (progress: TransferProgress) => void
  #target: Target | undefined
  #workedAt: number | undefined
  #pausedMs: number | undefined
  #server: number | undefined
  #cuts = 0
  /** How far the database is. */
  #state: TargetState | undefined
  #isCompared = false

  constructor(source: Source, to: string, say: (progress: TransferProgress) => void) {
    this.#source = source
    this.#to = to
    this.#say = (progress) => {
      this.#workedAt = performance.now()
      say(progress)
    }
  }

  async run(): Promise<Transferred> {
    try {
      for (;;) {
        try {
          return await this.#once()
        } catch (error) {
          await this.#waitAfter(error)
        } finally {
          this.#target?.close()
        }
      }
    } finally {
      this.#withdrawQuestion()
    }
  }

  async #once(): Promise<Transferred> {
    this.#target = await Target.open(this.#to)
    const { mark } = this.#source
    if (mark?.state === 'gone') return this.#finish(mark)
    const begun = await this.#begin(mark)
    this.#workedAt = performance.now()
    await this.#carryOver(begun.state)
    const cut = await this.#cutOver(begun.mark)
    this.#pausedMs = cut
    return this.#finish(this.#source.mark!)
  }

  /** Refuses whatever would harm; otherwise both sides know of each other from here on. */
  async #begin(known: TransferMark | undefined): Promise<{ mark: TransferMark; state: TargetState }> {
    const [source, target] = [this.#source, this.#target!]
    const to = shownUrl(this.#to)
    const found = await target.state()
    if (found) mustBeTheSame(found, known, to)
    else {
      const filled = await target.filledTables()
      if (filled.length > 0)
        throw new TransferRefused(`${to} is not empty: it has ${filled.join(', ')}. Name one that is.`)
      if ((await target.othersConnected()) > 0) {
        throw new TransferRefused(
          `A Parley server is connected to ${to}. Stop it: it would take the database for its own.`,
        )
      }
      if (known && known.to !== to) {
        throw new TransferRefused(
          `The store is being moved to ${known.to}. Go on with that, or take it back: --to ${known.to} --abandon`,
        )
      }
    }
    const mark: TransferMark = known ?? { id: randomUUID(), state: 'under-way', to, since: Date.now() }
    // First the file: a database that says it is filled from it would otherwise be nobody's.
    if (!known) source.begin(mark)
    reached('begun')
    const state = found ?? { id: mark.id, state: 'filling', from: source.file, tables: {}, changes: 0 }
    if (!found) await target.claim(state, { epoch: source.epoch, secret: source.secret })
    reached('claimed')
    return { mark, state }
  }

  async #carryOver(from: TargetState): Promise<void> {
    const [source, target] = [this.#source, this.#target!]
    const copied = await copyTables(source, target, from, this.#say)
    if (!this.#isCompared) await target.analyze()
    await this.#catchUp(copied)
    // Once is enough: what changes from here on is compared when it is carried over.
    if (this.#isCompared) return
    reached('copied')
    await source.snapshot(async () => {
      this.#state = (await catchUp(source, target, this.#state!)).state
      await compareAll(source, target, this.#say)
    })
    this.#isCompared = true
    reached('compared')
  }

  /** Until few changes are left. */
  async #catchUp(from: TargetState): Promise<void> {
    const [source, target] = [this.#source, this.#target!]
    this.#state = from
    for (let pass = 1; ; pass++) {
      const left = source.countChangesAfter(this.#state.changes)
      const counter = new Counter('catching up', { total: left }, this.#say)
      await source.snapshot(async () => {
        const caughtUp = await catchUp(source, target, this.#state!, (changes) => counter.add(changes))
        await compareChanged(source, target, caughtUp)
        this.#state = caughtUp.state
      })
      source.forgetChangesBelow(this.#state.changes)
      if (left <= FEW_CHANGES) return
      if (pass === MAX_PASSES) {
        throw new TransferRefused(
          'More is written than can be carried over. Run the same command when less is written.',
        )
      }
    }
  }

  async #cutOver(mark: TransferMark): Promise<number> {
    const [source, target] = [this.#source, this.#target!]
    this.#server = await askToStandBy(source, this.#to, mark)
    reached('standing-by')
    await this.#catchUp(this.#state!)
    this.#say({ step: 'cutting over', done: 0, total: 0, rowsPerSecond: 0, leftMs: undefined })
    this.#cuts++
    return cutOver(source, target, this.#state!, { mark, isServed: this.#server !== undefined })
  }

  /** The file is sealed: whatever is left is to tell everybody. */
  async #finish(mark: TransferMark): Promise<Transferred> {
    const [source, target] = [this.#source, this.#target!]
    const state = await target.state()
    if (state?.id !== mark.id) {
      throw new TransferRefused(`The store was moved to ${mark.to}, and ${shownUrl(this.#to)} is not that database.`)
    }
    const wasLive = state.state === 'live'
    if (!wasLive) await target.live(mark.id)
    reached('live')
    const server = this.#server === undefined ? undefined : { pid: this.#server, isOver: await untilOver(source) }
    source.tidy()
    const isOfThisRun = this.#pausedMs !== undefined || !wasLive
    return { state: isOfThisRun ? 'done' : 'was-done', pausedMs: this.#pausedMs, server }
  }

  /** Trouble that may pass is waited for; the rest is thrown. */
  async #waitAfter(error: unknown): Promise<void> {
    if (this.#workedAt === undefined || !mayPass(error)) throw error
    if (this.#cuts >= MAX_CUTS) {
      throw new TransferRefused(
        `The last changes could not be carried over in the time that writes may wait, ${MAX_CUTS} times. The store is where ` +
          'it was. Run the same command when less is written, or with the server stopped.',
        { cause: error },
      )
    }
    if (performance.now() - this.#workedAt > OUTAGE_MS) {
      throw new TransferRefused(
        `PostgreSQL cannot be used (${(error as Error).message}). Run the same command again: it goes on from here.`,
        { cause: error },
      )
    }
    if (!(error instanceof TooSlow)) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }

  /** The question holds an address, with its password; it is there no longer than it has to be. */
  #withdrawQuestion(): void {
    const { mark } = this.#source
    if (mark?.state !== 'under-way' || !mark.asked) return
    const { asked: _, ...rest } = mark
    this.#source.putMark(rest)
  }
}

function mustBeTheSame(found: TargetState, known: TransferMark | undefined, to: string): void {
  if (found.state === 'live') {
    throw new TransferRefused(
      `${to} is served already: it was filled from ${found.from}, and what was said since is only there.`,
    )
  }
  if (found.id === known?.id) return
  throw new TransferRefused(`${to} holds what another transfer brought, from ${found.from}. Name an empty database.`)
}

/** Whether the same may work in a moment: the database went away, or is out of something. */
function mayPass(error: unknown): boolean {
  if (error instanceof TransferRefused || error instanceof TypeError || error instanceof RangeError) return false
  if (error instanceof TooSlow || error instanceof StoreOpenError) return true
  const code = (error as { code?: unknown }).code
  if (typeof code === 'string' && code.startsWith('SQLITE_')) return code === 'SQLITE_BUSY'
  return troubleOf(error) !== 'refused'
}
