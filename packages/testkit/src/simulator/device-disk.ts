/**
 * A device's disk: a replica as the SDK's port wants it, that forgets at a crash what was not yet safe. A strict commit is
 * safe once its promise has resolved; relaxed ones are, once a later strict one is. What a crash leaves is always a
 * beginning of what was written.
 */
import type { Replica, ReplicaStorage } from '@parley/client'
import type { SeededChance } from '../seeded-chance.ts'
import { SimulatedTable } from './simulated-table.ts'
import type { Timeline } from './timeline.ts'

type Commit = Replica['commit']
export type Write = Parameters<Commit>[0][number]
type CommitOptions = Parameters<Commit>[1]
export type Durability = CommitOptions['durability']
type TableName = Write['table']
type OpenOptions = NonNullable<Parameters<ReplicaStorage['open']>[1]>
type Key = readonly (string | number)[]

type Rows = Map<TableName, SimulatedTable>

/** What a mutation may do to a commit before it is written. */
export type WriteFilter = (writes: readonly Write[], durability: Durability) => readonly Write[]

/** The process that uses the disk. Once dead it hears nothing more. */
export interface Process {
  isDead: boolean
  /** Lets something happen to it, unless it is dead, and not before it is awake. */
  readonly run?: (task: () => void) => void
}

export class DeviceDisk {
  readonly #timeline: Timeline
  readonly #chance: SeededChance
  /** The longest one access takes; 0 for a disk that answers within the turn. */
  readonly #accessMs: number
  #rows: Rows = new Map()
  /** How to take back what is not safe yet, oldest first. */
  #unsafe: { readonly undo: () => void }[] = []
  #freeAt = 0
  readonly #handles = new Set<Handle>()
  /** The next so many commits fail. */
  failures = 0
  /** Writes that a crash took back. */
  lost = 0
  /** Writes of a tab whose term was over. */
  fenced = 0
  /** Called once, when the next commit is under way. */
  onNextCommit: (() => void) | undefined
  filter: WriteFilter = (writes) => writes
  /** What a mutation makes of the promise of durability. */
  isForgetful = false
  /** A mutation: whoever was the owner once may write for ever. */
  ignoresTerms = false

  constructor(timeline: Timeline, chance: SeededChance, accessMs: number) {
    this.#timeline = timeline
    this.#chance = chance
    this.#accessMs = accessMs
  }

  storage(process: Process): ReplicaStorage {
    return {
      open: (_appId, options = {}) =>
        this.access(process, () => {
          const handle = new Handle(this, process, options)
          this.#handles.add(handle)
          return handle
        }),
      destroy: () => {
        const before = this.#rows
        this.#rows = new Map()
        const entry = this.#note(() => {
          this.#rows = before
        })
        for (const handle of [...this.#handles]) handle.lose()
        this.#handles.clear()
        return this.access(process, () => this.#safeUpTo(entry))
      },
    }
  }

  /** The power goes: a beginning of what was not safe is kept. */
  crash(): void {
    const kept = this.#chance.below(2) === 0 ? this.#unsafe.length : this.#chance.below(this.#unsafe.length + 1)
    for (const { undo } of this.#unsafe.splice(kept).reverse()) {
      undo()
      this.lost++
    }
    this.#unsafe = []
    this.#handles.clear()
  }

  /** Rows as they are, for whoever looks at the world from outside. */
  table(name: TableName): SimulatedTable {
    let table = this.#rows.get(name)
    if (!table) {
      table = new SimulatedTable()
      this.#rows.set(name, table)
    }
    return table
  }

  forget(handle: Handle): void {
    this.#handles.delete(handle)
  }

  commit(process: Process, writes: readonly Write[], { durability, term }: CommitOptions): Promise<void> {
    if (process.isDead) return new Promise(() => undefined)
    const { value = 0 } = (this.table('meta').get(['term']) ?? {}) as { readonly value?: number }
    if (term !== undefined && term !== value && !this.ignoresTerms) {
      this.fenced++
      const error = Object.assign(new Error('Another tab writes now.'), { name: 'ReplicaError', code: 'fenced' })
      return this.access(process, () => {
        throw error
      })
    }
    if (this.failures > 0) {
      this.failures--
      const error = Object.assign(new Error('The simulated disk refuses.'), { name: 'ReplicaError', code: 'full' })
      return this.access(process, () => {
        throw error
      })
    }
    const undos: (() => void)[] = []
    for (const write of this.filter(writes, durability)) undos.push(this.#apply(write))
    const entry = this.#note(() => {
      for (const undo of undos.reverse()) undo()
    })
    const { onNextCommit } = this
    this.onNextCommit = undefined
    onNextCommit?.()
    return this.access(process, () => {
      if (durability === 'strict' && !this.isForgetful) this.#safeUpTo(entry)
    })
  }

  /** One access after the other, each in its time; a read sees what was written before it was asked for. */
  access<T>(process: Process, work: () => T): Promise<T> {
    if (this.#accessMs === 0) {
      return new Promise((resolve) => {
        if (!process.isDead) resolve(undefined)
      }).then(work)
    }
    this.#freeAt = Math.max(this.#freeAt, this.#timeline.now) + this.#chance.below(this.#accessMs)
    return new Promise((resolve, reject) => {
      const finish = () => {
        if (process.isDead) return
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      }
      this.#timeline.after(this.#freeAt - this.#timeline.now, () => (process.run ?? hear)(finish))
    })
  }

  #apply(write: Write): () => void {
    const table = this.table(write.table)
    if (write.type === 'put') return table.put(keyOf(write), write.row)
    if (write.type === 'delete') return table.delete(write.key)
    return table.deleteAll(write.prefix)
  }

  #note(undo: () => void): { readonly undo: () => void } {
    const entry = { undo }
    this.#unsafe.push(entry)
    return entry
  }

  #safeUpTo(entry: { readonly undo: () => void }): void {
    this.#unsafe.splice(0, this.#unsafe.indexOf(entry) + 1)
  }
}

const hear = (task: () => void): void => task()

/** An open replica. */
class Handle implements Replica {
  readonly #disk: DeviceDisk
  readonly #process: Process
  readonly #options: OpenOptions
  #isOpen = true

  constructor(disk: DeviceDisk, process: Process, options: OpenOptions) {
    this.#disk = disk
    this.#process = process
    this.#options = options
  }

  // Tables are typed by their names; these rows were typed when they were written.
  get: Replica['get'] = (table, key) => this.#read(table, (rows) => rows.get(key)) as never
  getMany: Replica['getMany'] = (table, keys) => this.#read(table, (rows) => keys.map((key) => rows.get(key))) as never
  scan: Replica['scan'] = (table, range = {}) => this.#read(table, (rows) => rows.scan(range)) as never
  count: Replica['count'] = (table, range = {}) => this.#read(table, (rows) => rows.scan(range).length)

  commit: Commit = async (writes, options) => {
    this.#mustBeOpen()
    await this.#disk.commit(this.#process, writes, options)
  }

  close = async (): Promise<void> => {
    this.#isOpen = false
    this.#disk.forget(this)
  }

  lose(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { run = hear } = this.#process
    if (!this.#process.isDead) run(() => this.#options.onLost?.('deleted'))
  }

  async #read<T>(table: TableName, look: (rows: SimulatedTable) => T): Promise<T> {
    this.#mustBeOpen()
    // What is read is what is there now, whenever the answer comes.
    const found = look(this.#disk.table(table))
    return this.#disk.access(this.#process, () => found)
  }

  #mustBeOpen(): void {
    if (this.#isOpen) return
    throw Object.assign(new Error('This replica is closed.'), { name: 'ReplicaError', code: 'closed' })
  }
}

function keyOf(write: Extract<Write, { type: 'put' }>): Key {
  switch (write.table) {
    case 'meta':
      return [write.row.name]
    case 'streams':
      return [write.row.stream]
    case 'participants':
      return [write.row.conversation, write.row.identity.id]
    case 'memberships':
      return [write.row.conversation]
    case 'messages':
      return [write.row.conversation, write.row.position]
    case 'conversations':
    case 'positions':
      return [write.row.id]
    case 'outbox':
      return [write.row.order]
  }
}
