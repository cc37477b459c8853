/**
 * The embedded store on a disk that tears. SQLite writes to a real file; at a crash the log keeps what was flushed, and of
 * what was being written any sectors, in any order, some of them garbled. Opened again, the store must hold everything
 * that was acknowledged, and of the commit under way all or nothing.
 */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type UserId, type Uuid, uuidv7 } from '@parley/protocol'
import { openSqliteStore, storeFile } from '@parley/server'
import { type AppKey, operations, type Store, WriteLane } from '@parley/server/in-process'
import { SeededChance } from '../seeded-chance.ts'
import { settled } from './timeline.ts'

const SECTOR_BYTES = 512
/** A store begins anew after so many crashes, so that opening it stays cheap. */
const CRASHES_PER_STORE = 40

export interface TornOutcome {
  readonly crashes: number
  readonly acknowledged: number
  /** Commits under way at a crash: found whole afterwards, and found gone. */
  readonly kept: number
  readonly gone: number
  readonly findings: readonly string[]
}

export async function tearDisks(of: {
  readonly seed: number
  readonly crashes: number
  /** What the disk forgets besides, to see whether it is noticed: so many bytes that were flushed. */
  readonly forgottenBytes?: number
  readonly signal?: AbortSignal
}): Promise<TornOutcome> {
  const chance = new SeededChance(of.seed)
  const sum = { crashes: 0, acknowledged: 0, kept: 0, gone: 0, findings: [] as string[] }
  while (sum.crashes < of.crashes && sum.findings.length === 0 && !of.signal?.aborted) {
    const disk = new TornDisk(chance, of.forgottenBytes ?? 0)
    try {
      const count = Math.min(CRASHES_PER_STORE, of.crashes - sum.crashes)
      for (let crash = 0; crash < count && sum.findings.length === 0; crash++) {
        const life = await disk.live()
        sum.crashes++
        sum.acknowledged += life.acknowledged
        sum[life.wasKept ? 'kept' : 'gone']++
        sum.findings.push(...life.findings.map((sentence) => `seed ${of.seed}, crash ${sum.crashes}: ${sentence}`))
      }
    } finally {
      disk.remove()
    }
  }
  return sum
}

interface Life {
  readonly acknowledged: number
  readonly wasKept: boolean
  readonly findings: string[]
}

const ANN = 'ann' as UserId
const APP = 1 as AppKey

class TornDisk {
  readonly #chance: SeededChance
  readonly #forgottenBytes: number
  readonly #folders: string[] = []
  #folder = this.#newFolder()
  readonly #conversation: Uuid
  /** Id → text, of everything that was ever acknowledged. */
  readonly #acknowledged = new Map<Uuid, string>()
  #isNew = true

  constructor(chance: SeededChance, forgottenBytes: number) {
    this.#chance = chance
    this.#forgottenBytes = forgottenBytes
    this.#conversation = this.#uuid()
  }

  /** From an opening to a crash, and what the next opening finds. */
  async live(): Promise<Life> {
    const store = openSqliteStore(storeFile(this.#folder))
    const before = this.#acknowledged.size
    const fatal = 2 + this.#chance.below(6)
    let commits = 0
    let image: (() => void) | undefined
    let underWay: readonly Uuid[] = []
    const commit: Store['log']['commit'] = async (writes) => {
      if (image) return new Promise(() => undefined)
      const log = this.#log()
      const place = await store.log.commit(writes)
      if (++commits < fatal) return place
      // The word of it never arrives.
      underWay = writes.messages.map(({ id }) => id)
      const flushed = this.#log()
      image = () => this.#tear(log, flushed)
      return new Promise(() => undefined)
    }
    const lane = new WriteLane({
      store: { ...store, log: withCommit(store.log, commit) },
      publish: () => undefined,
      now: () => 1_000,
      log: () => undefined,
    })
    const ask = (name: keyof typeof operations, input: object) =>
      lane.submit({ operation: operations[name].operation as never, input: input as never, app: APP, userId: ANN })
    if (this.#isNew) {
      this.#isNew = false
      await store.apps.create(newApp(this.#uuid()), { id: this.#uuid(), app: APP, jwksUrl: null }, null)
      void ask('create-conversation', { id: this.#conversation, participants: ['bob'], distinct: false })
      await settled()
    }
    while (!image) {
      for (let i = this.#chance.below(4); i >= 0; i--) this.#send(ask)
      await settled()
    }
    image()
    await store.close()
    return this.#lookAfter(before, underWay)
  }

  remove(): void {
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }

  #send(ask: (name: 'send-message', input: object) => Promise<unknown>): void {
    const id = this.#uuid()
    const text = `text of ${id} `.repeat(1 + this.#chance.below(30))
    const parts = [{ mime_type: 'text/plain', body: text }]
    void ask('send-message', { id, conversation: this.#conversation, parts }).then((outcome) => {
      if (!('refusal' in (outcome as object))) this.#acknowledged.set(id, text)
    })
  }

  async #lookAfter(before: number, underWay: readonly Uuid[]): Promise<Life> {
    const findings: string[] = []
    const store = openSqliteStore(storeFile(this.#folder))
    for (const [id, text] of this.#acknowledged) {
      const message = await store.lists.message(APP, id)
      if (!message) findings.push(`${id} was acknowledged and is lost`)
      else if (message.parts[0]?.body !== text) findings.push(`${id} is not what was sent`)
    }
    const found = await Promise.all(underWay.map((id) => store.lists.message(APP, id)))
    const kept = found.filter((message) => message !== undefined)
    if (kept.length > 0 && kept.length < underWay.length) findings.push('half a commit is there')
    // Whoever hears nothing asks again, and is then told that it is done.
    for (const message of kept) this.#acknowledged.set(message.id, message.parts[0]!.body)
    await store.close()
    return { acknowledged: this.#acknowledged.size - before, wasKept: kept.length > 0, findings }
  }

  #log(): Buffer {
    const file = `${storeFile(this.#folder)}-wal`
    return existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
  }

  /** Another disk, as the crash left it. */
  #tear(before: Buffer, after: Buffer): void {
    const from = storeFile(this.#folder)
    this.#folder = this.#newFolder()
    copyFileSync(from, storeFile(this.#folder))
    writeFileSync(`${storeFile(this.#folder)}-wal`, this.#torn(before, after))
  }

  #torn(before: Buffer, after: Buffer): Buffer {
    const kind = this.#chance.below(5)
    if (kind === 0) return forgetting(after, this.#forgottenBytes)
    const torn = Buffer.from(after)
    // A write in order stops somewhere; one out of order leaves holes.
    const stop = kind === 1 ? this.#chance.below(after.length + 1) : Number.POSITIVE_INFINITY
    for (let at = 0; at < after.length; at += SECTOR_BYTES) {
      const end = Math.min(at + SECTOR_BYTES, after.length)
      if (before.subarray(at, end).equals(after.subarray(at, end))) continue
      const isWritten = kind === 1 ? end <= stop : this.#chance.below(4) > 0
      if (isWritten) continue
      torn.fill(0, at, end)
      if (at < before.length) before.copy(torn, at, at, Math.min(end, before.length))
      if (this.#chance.below(3) === 0 && at >= before.length) torn.set(this.#chance.bytes(end - at), at)
    }
    const isCut = kind === 1 && stop > before.length
    return forgetting(isCut ? torn.subarray(0, stop) : torn, this.#forgottenBytes)
  }

  #newFolder(): string {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'parley-torn-'))
    this.#folders.push(folder)
    // The one before last is no longer looked at.
    if (this.#folders.length > 2) rmSync(this.#folders.shift()!, { recursive: true, force: true })
    return folder
  }

  #uuid(): Uuid {
    return uuidv7(1_000, this.#chance.bytes(10))
  }
}

/** The port's methods are made as they are asked for, so they cannot be copied. */
const withCommit = (log: Store['log'], commit: Store['log']['commit']): Store['log'] => ({
  lastCursor: () => log.lastCursor(),
  load: (wanted) => log.load(wanted),
  prune: (before) => log.prune(before),
  commit,
})

const forgetting = (log: Buffer, bytes: number): Buffer => log.subarray(0, Math.max(0, log.length - bytes))

const newApp = (id: Uuid) => ({
  key: APP,
  id,
  environment: 'staging' as const,
  name: 'App',
  sessionSeconds: null,
  allowedOrigins: null,
  createdAt: 1_000,
  suspendedAt: null,
})
