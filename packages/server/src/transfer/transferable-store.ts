import type { SqliteStore } from '../store/sqlite/sqlite-store.ts'
import { StoreMoved, type TransferAnswer, type TransferMark } from '../store/sqlite/transfer-mark.ts'
import { type AppStore, type LogStore, Stale, type Store, type StoreLoss, StoreOutage } from '../store/store.ts'

/** How often the file is asked whether it is being moved. */
const LOOK_MS = 500
/** What is being asked of the file's threads gets so long to be answered before they end. */
const LINGER_MS = 5_000

export interface TransferableOptions {
  /** The database, which is not open to everybody yet. */
  readonly openTarget: (url: string, transferId: string) => Promise<Store>
  /** Says that from now on anybody may serve it. */
  readonly openForAll: (url: string, transferId: string) => Promise<void>
  readonly log: (message: string, details: Record<string, unknown>) => void
}

interface StandBy {
  readonly transferId: string
  readonly url: string
  readonly store: Store
}

/**
 * An embedded store that may be moved to PostgreSQL while it is served, and that then is the store in PostgreSQL.
 *
 *     here ── asked to be ready ──→ standing by ── the file takes no writes any more ──→ there
 *
 * Whoever holds it notices nothing: a commit that the file did not take is answered by `Stale`, upon which the lane forgets
 * what it knew, loads it from where it is now, and decides again. Until then the one truth is the file.
 */
export function transferable(embedded: SqliteStore, options: TransferableOptions): Store {
  const { openTarget, openForAll, log } = options
  let current: Store = embedded
  let standBy: StandBy | undefined
  let answered: string | undefined
  let going: Promise<void> | undefined
  let isClosed = false
  /** Whether whoever commits has begun anew since. */
  let hasBegunAnew = true

  let lose: (loss: StoreLoss) => void = () => undefined
  const lost = new Promise<StoreLoss>((resolve) => {
    lose = resolve
  })
  // What becomes of its threads once the store is elsewhere is nobody's loss.
  void embedded.lost?.then((loss) => current === embedded && lose(loss))

  const answer = (given: Omit<TransferAnswer, 'pid'>) => embedded.transfer.putAnswer({ ...given, pid: process.pid })

  async function look(): Promise<void> {
    const mark = await embedded.transfer.read()
    if (mark?.state === 'gone') return goOver()
    if (!mark?.asked || mark.asked.question === answered) return
    await prepare(mark, mark.asked)
  }

  async function prepare({ id }: TransferMark, { question, url }: NonNullable<TransferMark['asked']>): Promise<void> {
    let trouble: string | undefined
    try {
      if (standBy?.transferId !== id || standBy.url !== url) {
        await standBy?.store.close()
        standBy = undefined
        standBy = { transferId: id, url, store: await openTarget(url, id) }
        log('ready to go over to PostgreSQL', {})
      }
    } catch (error) {
      trouble = (error as Error).message
      log('could not get ready to go over to PostgreSQL', { error: trouble })
    }
    await answer(trouble === undefined ? { question, state: 'ready' } : { question, state: 'unable', trouble })
    answered = question
  }

  function goOver(): Promise<void> {
    going ??= change().finally(() => {
      going = undefined
    })
    return going
  }

  async function change(): Promise<void> {
    if (current !== embedded) return
    const target = standBy
    if (!target) {
      const sentence = 'The store was moved to PostgreSQL, and this server was not told where to.'
      // Started again on the folder, it says where everything is now.
      lose({ sentence, remedy: 'restart' })
      throw new StoreOutage(sentence)
    }
    await openForAll(target.url, target.transferId).catch((cause) => {
      throw new StoreOutage('The database cannot be reached.', { cause })
    })
    hasBegunAnew = false
    current = target.store
    clearInterval(timer)
    log('the store is in PostgreSQL now', {})
    await answer({ question: answered!, state: 'went-over' }).catch(() => undefined)
    setTimeout(() => void embedded.close(), LINGER_MS).unref()
  }

  /** Once more, from where the store is now, if the file did not take it. */
  async function overThere<T>(error: unknown, work: () => Promise<T>): Promise<T> {
    if (!(error instanceof StoreMoved)) throw error
    await goOver()
    return work()
  }

  let looking: Promise<void> | undefined
  const timer = setInterval(() => {
    looking ??= look()
      .catch((error) => log('the store could not be asked whether it moves', { error: String(error) }))
      .finally(() => {
        looking = undefined
      })
  }, LOOK_MS)
  timer.unref()

  const log_: LogStore = {
    async lastCursor() {
      const store = current
      const cursor = await store.log.lastCursor()
      if (store === current) hasBegunAnew = true
      return cursor
    },
    load: (wanted) => current.log.load(wanted),
    async commit(writes) {
      // Decided from what the file said, without what PostgreSQL wants to know of it.
      if (!hasBegunAnew) throw new Stale()
      return current.log.commit(writes).catch((error) => overThere(error, () => Promise.reject(new Stale())))
    },
    get holding() {
      return current.log.holding
    },
    prune: (before) => current.log.prune(before).catch((error) => overThere(error, () => current.log.prune(before))),
  }

  return {
    epoch: embedded.epoch,
    lost,
    threads: () => current.threads?.() ?? [],
    get hasOneWriter() {
      return current.hasOneWriter !== false
    },
    log: log_,
    streams: forwarded(() => current.streams),
    lists: forwarded(() => current.lists),
    apps: forwarded<AppStore>(
      () => current.apps,
      (error, again) => overThere(error, again),
    ),
    claims: { claim: async (work, holder, ms) => (await current.claims?.claim(work, holder, ms)) ?? true },
    async close() {
      if (isClosed) return
      isClosed = true
      clearInterval(timer)
      await looking
      await standBy?.store.close()
      await embedded.close()
    },
  }
}

/** A part of whichever store it is at the moment. */
function forwarded<Part extends object>(
  part: () => Part,
  onError?: (error: unknown, again: () => Promise<unknown>) => Promise<unknown>,
): Part {
  const methods: Record<string, unknown> = {}
  return new Proxy({} as Part, {
    get(_, name) {
      if (typeof name !== 'string' || name === 'then') return undefined
      const call = (args: unknown[]) =>
        (part() as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!(...args)
      methods[name] ??= onError
        ? (...args: unknown[]) => call(args).catch((error) => onError(error, () => call(args)))
        : (...args: unknown[]) => call(args)
      return methods[name]
    },
  })
}
