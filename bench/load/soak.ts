/**
 * A day in little: people in pairs and one larger conversation write, read, delete, come and go, at half of what the
 * server can do, until they are told to stop.
 */
import { randomUUID } from 'node:crypto'
import type { ServerReady } from '../servers/start-server.ts'
import { dialectOf } from './dialect.ts'
import { ratePerSecond } from './measuring.ts'
import { idIn, messageId } from './message-id.ts'
import { connect, connectPeople, makeRoom } from './people.ts'
import type { LoadSocket } from './socket.ts'
import { heard, pause, task, tell } from './task.ts'

export interface SoakInput {
  readonly ready: ServerReady
  readonly pairs: number
  readonly capacityMs: number
}

export interface SoakCounts {
  readonly acknowledged: number
  readonly refused: number
  readonly reconnects: number
  readonly pages: number
  /** Operations without an answer for longer than {@link SILENCE_MS}. */
  readonly silent: number
}

const BODY = 'x'.repeat(200)
const WINDOW = 8
const TICK_MS = 10
const SILENCE_MS = 20_000
/** What is done, of a hundred. */
const SENDS = 80
const RECEIPTS = 13
const DELETIONS = 5
const RECONNECT_MS = 200
const PAGE_MS = 100

task<SoakInput>(async ({ ready, pairs, capacityMs }) => {
  const dialect = dialectOf(ready)
  const { port } = ready
  const open = new Map<string, { readonly at: number; readonly person: number }>()
  const latest: { room: number; id: string; position: number }[] = []
  const counts = { acknowledged: 0, refused: 0, reconnects: 0, pages: 0 }
  let made: (() => void) | undefined
  let through: (id: string) => void = () => undefined

  const hear = (data: Buffer, start: number, end: number) => {
    const no = dialect.refused?.(data, start, end)
    if (no) {
      counts.refused++
      open.delete(no.id)
      return
    }
    const answered = dialect.acknowledged(data, start, end)
    if (answered === undefined) return
    if (made) return made()
    const yes = idIn(data, answered)
    counts.acknowledged++
    if (open.delete(yes)) through(yes)
    if (counts.acknowledged % 16 !== 0) return
    const { result } = JSON.parse(data.toString('utf8', start, end))
    if (typeof result.position !== 'number') return
    latest.push({ room: roomOf.get(yes) ?? 0, id: yes, position: result.position })
    if (latest.length > 1_000) latest.shift()
  }
  const roomOf = new Map<string, number>()

  const names = Array.from({ length: pairs * 2 }, (_, index) => `u${index}`)
  const hellos = new Map<number, string>()
  const people = await connectPeople({ port, dialect, names }, (_, data, start, end) => hear(data, start, end))
  const sockets: LoadSocket[] = people.map(({ socket }) => socket)
  const rooms: string[] = []
  for (let i = 0; i < pairs; i++) {
    const members = [names[2 * i]!, names[2 * i + 1]!]
    const answer = () =>
      new Promise<void>((resolve) => {
        made = () => resolve()
      })
    rooms.push(await makeRoom({ dialect, creator: sockets[2 * i]!, members }, answer))
    made = undefined
  }

  const operate = (person: number, name: string, input: object) => {
    const id = randomUUID()
    open.set(id, { at: performance.now(), person })
    sockets[person]!.send(JSON.stringify({ type: 'operation', id, name, input }))
  }
  const say = (person: number) => {
    const id = messageId()
    open.set(id, { at: performance.now(), person })
    roomOf.set(id, person >> 1)
    if (roomOf.size > 5_000) roomOf.delete(roomOf.keys().next().value as string)
    sockets[person]!.send(dialect.message(rooms[person >> 1]!, id, BODY))
  }

  // What it can do.
  let next = 0
  through = () => {
    next = (next + 1) % names.length
    say(next)
  }
  for (let i = 0; i < names.length; i++) for (let k = 0; k < WINDOW; k++) say(i)
  await pause(capacityMs / 2)
  const perSecond = await ratePerSecond(() => counts.acknowledged, capacityMs)
  through = () => undefined
  tell({ capacityPerSecond: perSecond })

  let isOver = false
  void heard().then(() => {
    isOver = true
  })
  const conversation = (room: number) => `layer:///conversations/${rooms[room]}`
  const something = () => {
    const what = Math.random() * 100
    next = (next + 1) % names.length
    const last = latest[Math.floor(Math.random() * latest.length)]
    if (what < SENDS || !last) return say(next)
    const reader = 2 * last.room + 1
    if (what < SENDS + RECEIPTS) {
      const marks = { conversation: conversation(last.room), receipt: 'read', position: last.position }
      return operate(reader, 'mark-messages', marks)
    }
    if (what < SENDS + RECEIPTS + DELETIONS) {
      const deletion = { conversation: conversation(last.room), message: `layer:///messages/${last.id}` }
      return operate(2 * last.room, 'delete-message', { ...deletion, mode: 'all_participants' })
    }
    const guest = `layer:///identities/${names[(2 * last.room + 2) % names.length]}`
    const verb = what < 99 ? 'add' : 'remove'
    operate(2 * last.room, 'update-conversation', {
      conversation: conversation(last.room),
      patch: [{ operation: verb, property: 'participants', value: guest }],
    })
  }
  const reconnect = async (person: number) => {
    const hello = hellos.get(person) ?? (await dialect.hello(names[person]!))
    hellos.set(person, hello)
    sockets[person]!.close()
    const socket = await connect({ port, dialect, hello }, hear)
    // What was asked on the old line, also while there was no new one, went with it; a device would ask again.
    for (const [id, asked] of open) if (asked.person === person) open.delete(id)
    sockets[person] = socket
    counts.reconnects++
  }
  let reconnectAt = 0
  let pageAt = 0
  const start = performance.now()
  let done = 0
  while (!isOver) {
    const now = performance.now()
    for (const due = ((now - start) / 1000) * (perSecond / 2); done < due; done++) something()
    if (now >= reconnectAt) {
      reconnectAt = now + RECONNECT_MS
      void reconnect(Math.floor(Math.random() * names.length)).catch(() => undefined)
    }
    if (now >= pageAt) {
      pageAt = now + PAGE_MS
      counts.pages++
      const person = Math.floor(Math.random() * names.length)
      const page = { type: 'page', id: counts.pages, conversation: conversation(person >> 1), before: null, limit: 100 }
      sockets[person]!.send(JSON.stringify(page))
    }
    await pause(TICK_MS)
  }
  await pause(1_000)
  const long = performance.now() - SILENCE_MS
  tell({ ...counts, silent: [...open.values()].filter(({ at }) => at < long).length } satisfies SoakCounts)
})
