/** A connection with more to say than there is room for. Sockets, store, time and turns are in memory. */
import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { MAX_HELD_MS } from '../src/edge/native/held-frames.ts'
import { assembleInMemory, peerWithBen, settled } from './in-memory.ts'

async function crowded() {
  const timers: { ms: number; ring: () => void }[] = []
  /** While set, commits wait for it. */
  let stall: Promise<void> | undefined
  const { edge, signIn } = await assembleInMemory(() => stall)
  const clock = {
    now: () => 1_000,
    after: (ms: number, ring: () => void) => {
      const timer = { ms, ring }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer), 1)
    },
  }
  let pauses = 0
  const { token } = await signIn('alice', 'Alice')
  const { connection, heard, say, send } = await peerWithBen({ ...edge, clock }, token, {
    pause: () => void pauses++,
    resume: () => void pauses--,
  })
  // As when thousands wait: one operation of each connection at a time.
  let share = Number.POSITIVE_INFINITY
  Object.defineProperty(edge.lane, 'isPressed', { get: () => share < Number.POSITIVE_INFINITY })
  Object.assign(edge.lane, { hasRoom: (underWay = 0) => underWay < share })
  let endStall = () => {}
  return {
    edge,
    connection,
    isPaused: () => pauses > 0,
    say,
    send,
    share(most: number) {
      share = most
    },
    stall() {
      stall = new Promise((resolve) => {
        endStall = resolve
      })
    },
    async goOn() {
      stall = undefined
      endStall()
      for (let turn = 0; turn < 8; turn++) await settled()
    },
    ringAfter(ms: number) {
      for (const timer of timers.filter((timer) => timer.ms === ms)) timer.ring()
    },
    told: () =>
      heard.flatMap((frame) => {
        if (frame.type === 'pong') return ['pong']
        return frame.type === 'acknowledgement' ? [`${frame.id} ${'refusal' in frame ? 'later' : 'done'}`] : []
      }),
  }
}

it('CON-15 what there is no room for waits with all that follows it, unread, and is done in its order', async () => {
  const line = await crowded()
  const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()]
  line.stall()
  line.share(1)
  line.send(one)
  expect(line.isPaused()).toBe(false)
  line.send(two)
  line.say({ type: 'ping' })
  line.send(three)
  expect({ isPaused: line.isPaused(), told: line.told(), held: line.edge.tally.heldConnections }).toEqual({
    isPaused: true,
    told: [],
    held: 1,
  })
  await line.goOn()
  expect(line.told()).toEqual([`${one} done`, `pong`, `${two} done`, `${three} done`])
  expect({
    isPaused: line.isPaused(),
    length: line.edge.heldRoom.length,
    held: line.edge.tally.heldConnections,
  }).toEqual({
    isPaused: false,
    length: 0,
    held: 0,
  })
})

it('CON-15 after a second it is told when to come back, and the line is read again', async () => {
  const line = await crowded()
  const [one, two] = [randomUUID(), randomUUID()]
  line.stall()
  line.share(1)
  line.send(one)
  line.send(two)
  line.say({ type: 'ping' })
  line.ringAfter(MAX_HELD_MS)
  expect({ told: line.told(), isPaused: line.isPaused() }).toEqual({ told: [`${two} later`, 'pong'], isPaused: false })
  await line.goOn()
  expect(line.told().at(-1)).toBe(`${one} done`)
})

it('CON-15 a connection that goes while it is held leaves nothing behind', async () => {
  const line = await crowded()
  line.stall()
  line.share(1)
  line.send(randomUUID())
  line.send(randomUUID())
  line.connection.gone()
  expect({ isPaused: line.isPaused(), length: line.edge.heldRoom.length }).toEqual({ isPaused: false, length: 0 })
  await line.goOn()
})
