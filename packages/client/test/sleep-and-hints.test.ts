/** A laptop that is shut for an hour, and a browser that says `online` and `offline` whenever it pleases. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { timing } from '../src/sync/connection-state.ts'
import { FIRST_DELAY_MS, MIN_DELAY_MS } from '../src/sync/retry-delay.ts'
import { type Device, World } from './world.ts'

const HOUR = 3_600_000
/** What a person who opens the lid waits at most. */
const AWAKE_MS = 2_000

let world: World
let saidUp: string[]
beforeEach(() => {
  world = new World()
  saidUp = []
  world.server.network.tamper = (text, direction) => {
    if (direction === 'up') saidUp.push((JSON.parse(text) as { type: string }).type)
    return [text]
  }
})
afterEach(() => world.close())

/** Somebody signed in, and the place where the browser's hints are given. */
async function withHints(): Promise<{ device: Device; hint: () => void }> {
  let look = () => {}
  const device = await world.signedIn('alice', {
    hints: (given) => {
      look = given
      return () => {}
    },
  })
  return { device, hint: () => look() }
}

const isLive = (device: Device) => device.client.connection.state === 'live'

/** Time until it holds, in steps of 10 ms; gives up after a minute. */
async function timeUntil(holds: () => boolean): Promise<number> {
  const start = world.clock.now()
  while (!holds() && world.clock.now() - start < 60_000) await world.pass(10)
  return world.clock.now() - start
}

/** The lid is closed for an hour. What the other end did in the meantime is for the test to say. */
async function shut(): Promise<void> {
  saidUp = []
  await world.clock.sleep(HOUR)
}

it('49 who wakes after an hour with a socket that died is live within two seconds, with one new socket', async () => {
  const { device } = await withHints()
  await world.pass(timing.heldMs)
  const { network } = world.server
  const before = network.opened
  // Nothing of the old connection moves any more, and nobody was told.
  network.isUp = false
  await shut()
  const noticed = await timeUntil(() => network.connections === 0)
  network.isUp = true
  const back = await timeUntil(() => isLive(device))
  expect(noticed + back).toBeGreaterThan(0)
  expect(noticed + back).toBeLessThanOrEqual(AWAKE_MS)
  expect(network.opened - before).toBe(1)
})

it('49 who wakes with a socket that still lives keeps it: one ping, nothing else', async () => {
  const { device } = await withHints()
  const { opened } = world.server.network
  await shut()
  await world.pass(5_000)
  expect(isLive(device)).toBe(true)
  expect(world.server.network.opened).toBe(opened)
  expect(saidUp).toEqual(['ping'])
})

it.each([
  ['waiting for its twelfth attempt', true],
  ['in the middle of an attempt', false],
] as const)('49 who fell asleep %s is live within two seconds of waking', async (_, isRefused) => {
  const { device } = await withHints()
  const { network } = world.server
  network.isRefusing = true
  network.cut()
  // Long enough for the waits to have become long ones.
  await world.pass(5 * 60_000)
  expect(isLive(device)).toBe(false)
  if (!isRefused) {
    network.isRefusing = false
    network.isUp = false
    await timeUntil(() => device.client.connection.state === 'connecting')
  }
  await shut()
  network.isUp = true
  network.isRefusing = false
  expect(await timeUntil(() => isLive(device))).toBeLessThanOrEqual(AWAKE_MS)
})

it('49 a network that comes a moment after the lid is opened is found by the short waits of a beginning', async () => {
  const { device } = await withHints()
  const { network } = world.server
  network.isRefusing = true
  network.cut()
  await world.pass(5 * 60_000)
  await shut()
  await world.pass(1_000)
  network.isRefusing = false
  expect(await timeUntil(() => isLive(device))).toBeLessThanOrEqual(4 * FIRST_DELAY_MS)
})

it('49 an hour of timers does not ring all at once: a handful is set, and none of them twice', async () => {
  const { device } = await withHints()
  const { conversation } = await world.finish(device.client.createConversation({ participants: ['bob'] }))
  await conversation.sendText('one')
  conversation.typing()
  await world.flow()
  const set = world.clock.timers
  for (let hour = 0; hour < 5; hour++) {
    await shut()
    await world.pass(3_000)
    expect(saidUp.length).toBeLessThanOrEqual(3)
    expect(device.asked.length).toBeLessThanOrEqual(2 + hour)
  }
  expect(world.clock.timers).toBeLessThanOrEqual(set + 1)
  expect(isLive(device)).toBe(true)
})

it('49 offline is not believed while the line works: no reconnect, and what is sent arrives', async () => {
  const { device, hint } = await withHints()
  const { opened } = world.server.network
  const { conversation } = await world.finish(device.client.createConversation({ participants: ['bob'] }))
  for (let n = 0; n < 1_000; n++) hint()
  const message = await conversation.sendText('there you are')
  await world.finish(message.acknowledged)
  expect(isLive(device)).toBe(true)
  expect(world.server.network.opened).toBe(opened)
  expect(saidUp.filter((type) => type === 'ping').length).toBeLessThanOrEqual(1)
})

it('49 online is not believed while nobody answers: it only makes us look, four times a second at most', async () => {
  const { device, hint } = await withHints()
  const { network } = world.server
  network.isRefusing = true
  network.cut()
  let tries = 0
  let before = device.client.connection.state
  for (let ms = 0; ms < 10_000; ms += 10) {
    hint()
    const { state } = device.client.connection
    if (state === 'connecting' && before !== state) tries++
    await world.pass(10)
    before = device.client.connection.state
  }
  expect(isLive(device)).toBe(false)
  expect(tries).toBeGreaterThan(3)
  expect(tries).toBeLessThanOrEqual(10_000 / MIN_DELAY_MS + 1)
  network.isRefusing = false
  hint()
  expect(await timeUntil(() => isLive(device))).toBeLessThanOrEqual(AWAKE_MS)
})

it('49 a line that dies without any event is noticed by its silence', async () => {
  const { device } = await withHints()
  world.server.network.isUp = false
  const noticed = await timeUntil(() => !isLive(device))
  expect(noticed).toBeLessThanOrEqual(timing.silenceMs + timing.pongMs)
})
