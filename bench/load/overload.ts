/**
 * More than can be done: first what the server can do (a closed loop), then so many times that, then quiet, and then what was
 * refused once more. Senders do not heed when they are told to come back, and go on with something else at once; but nobody
 * has more on the line than the protocol lets a connection have under way, unless the load is told otherwise.
 */
import { loadSqlite } from '@parley/sqlite'
import { latencies, median } from '../figures/statistics.ts'
import type { ServerReady } from '../servers/start-server.ts'
import { dialectOf } from './dialect.ts'
import { ratePerSecond } from './measuring.ts'
import { idIn, messageId } from './message-id.ts'
import { connectPeople, makeRoom } from './people.ts'
import { coresMeter, pause, task, tell } from './task.ts'
import { Typists } from './typing.ts'

const Sqlite = loadSqlite()

export interface OverloadInput {
  readonly ready: ServerReady
  /** What the server keeps. */
  readonly storeFile: string
  readonly pairs: number
  /** How many times the capacity is offered. */
  readonly factor: number
  /** Messages without an answer that a sender has on its line; what is due beyond them stays on the device. */
  readonly unanswered: number
  readonly capacityMs: number
  readonly overloadMs: number
}

export interface OverloadResult {
  /** Between what it was before and after. */
  readonly capacityPerSecond: number
  readonly offeredPerSecond: number
  /** Of these, what stayed on the devices, because as many as may be were on their way. */
  readonly heldPerSecond: number
  readonly acknowledgedPerSecond: number
  readonly refusedPerSecond: number
  readonly latencies: { readonly p50: number; readonly p95: number; readonly p99: number }
  readonly refusalMs: { readonly p50: number; readonly p95: number; readonly p99: number }
  readonly retryAfterMs: { readonly least: number; readonly middle: number; readonly greatest: number }
  /** Refusals that did not say when to come back. */
  readonly withoutTime: number
  /** Messages with neither acknowledgement nor refusal. */
  readonly silent: number
  /** Acknowledged, and not on the peer's socket. */
  readonly undelivered: number
  readonly acknowledged: number
  /** Acknowledged, and not in the store. */
  readonly missing: number
  readonly cut: number
  /** From the last message offered until answers come as fast as before. */
  readonly backAfterMs: number
  readonly retried: number
  readonly retriedInVain: number
  /** How much of what two others type is heard: at capacity, beyond it, and at capacity again; 1 is all of it. */
  readonly typingHeard: readonly [before: number, during: number, after: number]
  readonly clientCores: number
}

const BODY = 'x'.repeat(200)
const WINDOW = 8
const TICK_MS = 5
/** Refused messages that are sent again at the end: a part of them, spread over the whole time. */
const RETRIES = 20_000
const ANSWER_MS = 10_000

interface Entry {
  readonly sender: number
  readonly at: number
  isAcknowledged: boolean
  isDelivered: boolean
}

task<OverloadInput>(async ({ ready, storeFile, pairs, factor, unanswered: most, capacityMs, overloadMs }) => {
  const dialect = dialectOf(ready)
  const open = new Map<string, Entry>()
  const acknowledged: string[] = []
  let refused: { readonly id: string; readonly sender: number }[] = []
  let refusals = 0
  let every = 1
  let withoutTime = 0
  const hints: number[] = []
  let times: number[] = []
  const refusalTimes: number[] = []
  let made: (() => void) | undefined
  /** What to do when a message is through. */
  let through: (sender: number) => void = () => undefined

  /** By sender. */
  const unanswered: number[] = new Array(pairs * 2).fill(0)
  const names = Array.from({ length: pairs * 2 }, (_, index) => `u${index}`)
  const people = await connectPeople({ port: ready.port, dialect, names }, (index, data, start, end) => {
    if (dialect.delivered(data, start, end, (at) => arrived(index, idIn(data, at)))) return
    const no = dialect.refused?.(data, start, end)
    if (no) {
      const entry = open.get(no.id)
      if (entry) turnedAway(no.id, entry, no.retryAfterMs)
      return
    }
    const answered = dialect.acknowledged(data, start, end)
    if (answered === undefined) return
    if (made) return made()
    const yes = idIn(data, answered)
    const entry = open.get(yes)
    if (!entry) return
    entry.isAcknowledged = true
    unanswered[entry.sender]!--
    times.push(performance.now() - entry.at)
    acknowledged.push(yes)
    settle(yes, entry)
  })

  function arrived(index: number, id: string): void {
    const entry = open.get(id)
    if (!entry || entry.sender === index) return
    entry.isDelivered = true
    settle(id, entry)
  }

  function settle(id: string, entry: Entry): void {
    if (!entry.isAcknowledged || !entry.isDelivered) return
    open.delete(id)
    through(entry.sender)
  }

  function turnedAway(id: string, { sender, at }: Entry, retryAfterMs: number | undefined): void {
    open.delete(id)
    unanswered[sender]!--
    refusals++
    const isSampled = refusals < 1_000 || refusals % 64 === 0
    if (isSampled) refusalTimes.push(performance.now() - at)
    if (retryAfterMs === undefined) withoutTime++
    else if (isSampled) hints.push(retryAfterMs)
    if (refusals % every !== 0) return
    refused.push({ id, sender })
    if (refused.length < RETRIES * 2) return
    refused = refused.filter((_, i) => i % 2 === 0)
    every *= 2
  }

  const rooms: string[] = []
  for (let i = 0; i < pairs; i++) {
    const members = [people[2 * i]!, people[2 * i + 1]!]
    const answer = () =>
      new Promise<void>((resolve) => {
        made = () => resolve()
      })
    const names = members.map(({ user }) => user)
    rooms.push(await makeRoom({ dialect, creator: members[0]!.socket, members: names }, answer))
    made = undefined
  }

  const say = (sender: number, id: string = messageId()) => {
    unanswered[sender]!++
    open.set(id, { sender, at: performance.now(), isAcknowledged: false, isDelivered: false })
    people[sender]!.socket.send(dialect.message(rooms[sender >> 1]!, id, BODY))
  }
  const answered = async () => {
    const deadline = performance.now() + ANSWER_MS
    while (open.size > 0 && performance.now() < deadline) await pause(10)
  }

  /** What it can do: as in a chat, a place in the window is free again when the message is through. */
  const measureCapacity = async () => {
    through = say
    for (let i = 0; i < people.length; i++) for (let k = 0; k < WINDOW; k++) say(i)
    await pause(capacityMs / 2)
    times = []
    const perSecond = await ratePerSecond(() => acknowledged.length, capacityMs)
    const usualMs = median(times)
    through = () => undefined
    await answered()
    return { perSecond, usualMs }
  }
  const typists = await Typists.start(ready.port, dialect)
  const { perSecond: capacityBefore, usualMs } = await measureCapacity()
  const typingBefore = typists.heardShare()
  tell({ capacityPerSecond: capacityBefore })

  // More than that, whatever comes back.
  const acknowledgedBefore = acknowledged.length
  const refusedBefore = refusals
  times = []
  let offered = 0
  let held = 0
  let sender = 0
  const cores = coresMeter()
  const start = performance.now()
  for (let now = start; now - start < overloadMs; now = performance.now()) {
    const due = ((now - start) / 1000) * capacityBefore * factor
    // Never so many at once that the rest would wait for this process.
    for (const end = offered + capacityBefore * factor * 0.05; offered < due && offered < end; offered++) {
      if (unanswered[sender]! < most) say(sender)
      else held++
      sender = (sender + 1) % people.length
    }
    await pause(TICK_MS)
  }
  const seconds = (performance.now() - start) / 1000
  const clientCores = cores()
  const typingDuring = typists.heardShare()
  const acknowledgedPerSecond = (acknowledged.length - acknowledgedBefore) / seconds
  const refusedPerSecond = (refusals - refusedBefore) / seconds
  const underLoad = latencies(times)

  // Quiet again: a few ask now and then, until they are answered as fast as ever.
  const quietFrom = performance.now()
  let backAfterMs = Number.NaN
  while (performance.now() - quietFrom < 4 * ANSWER_MS) {
    times = []
    const asked = performance.now()
    const refusedThen = refusals
    for (let i = 0; i < 10; i++) {
      sender = (sender + 7) % people.length
      say(sender)
    }
    await pause(100)
    if (refusals === refusedThen && times.length >= 10 && median(times) <= Math.max(50, usualMs)) {
      backAfterMs = asked - quietFrom
      break
    }
  }
  await answered()
  const silent = [...open.values()].filter(({ isAcknowledged }) => !isAcknowledged).length
  const undelivered = open.size - silent
  open.clear()

  // What was refused is asked once more, at the pace at which it is done.
  const again = refused.slice(0, RETRIES)
  refused = []
  const refusedThen = refusals
  let next = 0
  const one = () => {
    const retry = again[next++]
    if (retry) say(retry.sender, retry.id)
  }
  through = one
  for (let i = 0; i < 200; i++) one()
  for (let last = -1; next < again.length && last !== next; ) {
    last = next
    await pause(ANSWER_MS / 2)
  }
  await answered()
  const retriedInVain = Math.max(0, again.length - next) + open.size + (refusals - refusedThen)
  open.clear()
  // Once more, since others may have come to or gone from this machine.
  typists.heardShare()
  const { perSecond: capacityAfter } = await measureCapacity()
  tell({
    capacityPerSecond: (capacityBefore + capacityAfter) / 2,
    offeredPerSecond: offered / seconds,
    heldPerSecond: held / seconds,
    acknowledgedPerSecond,
    refusedPerSecond,
    latencies: underLoad,
    refusalMs: latencies(refusalTimes),
    retryAfterMs: { least: Math.min(...hints), middle: median(hints), greatest: Math.max(...hints) },
    withoutTime,
    silent,
    undelivered,
    cut: people.filter(({ socket }) => socket.isClosed).length,
    backAfterMs,
    retried: again.length,
    retriedInVain,
    typingHeard: [typingBefore, typingDuring, typists.heardShare()],
    clientCores,
    acknowledged: acknowledged.length,
    missing: missingFrom(storeFile, acknowledged),
  } satisfies OverloadResult)
})

function missingFrom(file: string, acknowledged: readonly string[]): number {
  const db = new Sqlite(file, { readonly: true })
  const stored = new Set(db.prepare('SELECT id FROM messages').pluck().all() as string[])
  db.close()
  return acknowledged.filter((id) => !stored.has(id)).length
}
