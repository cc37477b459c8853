/**
 * Conversations of people who are all online, a closed loop: a place in a sender's window is free again once the message
 * is acknowledged (durable) and on the sockets of all others. Two people, or a thousand. They talk each time they are told
 * for how long.
 */
import { type Latencies, latencies } from '../figures/statistics.ts'
import type { ServerReady } from '../servers/start-server.ts'
import { dialectOf } from './dialect.ts'
import { type Measured, Measurement, type Window } from './measuring.ts'
import { messageId, numberIn } from './message-id.ts'
import { connectPeople, makeRoom } from './people.ts'
import { heard, pause, task, tell } from './task.ts'

export interface ChatInput {
  readonly ready: ServerReady
  readonly conversations: number
  /** In each conversation. */
  readonly members: number
  readonly senders: number
  /** Messages of a sender under way. */
  readonly window: number
  /** Where each person is connected, where that is not the same for all. */
  readonly ports?: readonly number[]
  /** A place in a sender's window is taken again after so long, by default at once. */
  readonly pauseMs?: number
}

export interface ChatResult extends Measured {
  readonly acknowledged: number
  readonly delivered: number
  /** Messages that were told to come back, which they did. */
  readonly turnedAway: number
  readonly latencies: Latencies
  /** From the sender to somebody else's socket. */
  readonly deliveries: Latencies
}

const BODY = 'x'.repeat(200)
/** What is under way at the end has this long to arrive, those who were told to come back included. */
const DRAIN_MS = 30_000

/** A message under way. */
interface Entry {
  readonly sender: number
  readonly at: number
  /** The acknowledgement and everybody who has not heard it. */
  left: number
}

task<ChatInput>(async (input) => {
  const { ready, conversations, members, senders, window, ports, pauseMs = 0 } = input
  const dialect = dialectOf(ready)
  /** By number. */
  const open = new Map<number, Entry>()
  let numbers = 0
  let times: number[] = []
  let deliveryTimes: number[] = []
  let acknowledged = 0
  let delivered = 0
  let turnedAway = 0
  const measurement = new Measurement()
  let isOver = false
  let made: (() => void) | undefined

  const names = Array.from({ length: conversations * members }, (_, index) => `u${index}`)
  const port = (index: number) => ports?.[index] ?? ready.port
  const people = await connectPeople({ port, dialect, names }, (index, data, start, end) => {
    if (dialect.delivered(data, start, end, (at) => arrived(index, numberIn(data, at)))) return
    const refused = dialect.refused?.(data, start, end)
    if (refused) {
      const entry = open.get(numberIn(Buffer.from(refused.id), 0))
      if (!entry || refused.retryAfterMs === undefined) throw new Error(`${refused.id} was refused: ${refused.code}`)
      if (measurement.isOn) turnedAway++
      setTimeout(() => repeat(refused.id, entry), refused.retryAfterMs)
      return
    }
    const answered = dialect.acknowledged(data, start, end)
    if (answered === undefined) return
    if (made) return made()
    const number = numberIn(data, answered)
    const entry = open.get(number)
    if (!entry) return
    if (measurement.isOn) acknowledged++
    step(number, entry)
  })

  const rooms: string[] = []
  for (let i = 0; i < conversations; i++) {
    const own = people.slice(i * members, (i + 1) * members)
    const acknowledgement = () =>
      new Promise<void>((resolve) => {
        made = () => resolve()
      })
    rooms.push(
      await makeRoom({ dialect, creator: own[0]!.socket, members: own.map(({ user }) => user) }, acknowledgement),
    )
    made = undefined
  }

  function arrived(index: number, number: number): void {
    const entry = open.get(number)
    if (!entry || entry.sender === index) return
    if (measurement.isOn) {
      delivered++
      deliveryTimes.push(performance.now() - entry.at)
    }
    step(number, entry)
  }

  function step(number: number, entry: Entry): void {
    if (--entry.left > 0) return
    open.delete(number)
    if (measurement.isOn) times.push(performance.now() - entry.at)
    if (isOver) return
    if (pauseMs === 0) say(entry.sender)
    else setTimeout(() => isOver || say(entry.sender), pauseMs)
  }

  function say(sender: number): void {
    const number = numbers++
    const entry = { sender, at: performance.now(), left: members }
    open.set(number, entry)
    repeat(messageId(number), entry)
  }

  function repeat(id: string, { sender }: Entry): void {
    people[sender]!.socket.send(dialect.message(rooms[Math.floor(sender / members)]!, id, BODY))
  }

  async function talk(forTimes: Window): Promise<void> {
    isOver = false
    acknowledged = delivered = turnedAway = 0
    times = []
    deliveryTimes = []
    for (let i = 0; i < conversations; i++) {
      for (let j = 0; j < senders; j++) for (let k = 0; k < window; k++) say(i * members + j)
    }
    const measured = await measurement.run(forTimes)
    tell({
      ...{ acknowledged, delivered, turnedAway, latencies: latencies(times), deliveries: latencies(deliveryTimes) },
      ...measured,
    } satisfies ChatResult)
    isOver = true
    // What is on its way has to arrive: a lost message would be a finding.
    const deadline = Date.now() + DRAIN_MS
    while (open.size > 0 && Date.now() < deadline) await pause(10)
    const lost = open.size
    open.clear()
    tell({ lost })
  }

  tell('connected')
  while (true) await talk(await heard<Window>())
})
