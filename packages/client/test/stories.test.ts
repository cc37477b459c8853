import type { ConversationId } from '@parley/protocol'
import { fakeConversation, SeededChance } from '@parley/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../src/replica/memory/index.ts'
import { type Replica, ReplicaError, type ReplicaStorage } from '../src/replica/replica.ts'
import { type Device, World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

const start = async (device: Device, participants: string[], options: { distinct?: boolean } = {}) => {
  const { conversation } = await world.finish(device.client.createConversation({ participants, ...options }))
  await world.flow()
  return conversation
}
const serverTexts = (id: ConversationId) =>
  world.server.log.conversations.get(id)?.messages.map((row) => row.parts[0]?.body ?? '')
const say = async (device: Device, id: ConversationId, ...texts: string[]) => {
  for (const text of texts) await device.client.conversation(id).sendText(text)
}
const many = (count: number, prefix = 'm') => Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`)
const isSettled = async (device: Device) => (await (await device.replica()).count('outbox')) === 0

describe('alice and bob', () => {
  it('SYNC-1 what alice writes is on both devices, in one order', async () => {
    const [alice, bob] = [await world.signedIn('alice'), await world.signedIn('bob')]
    const { id } = await start(alice, ['bob'])
    await say(alice, id, 'hi bob')
    await world.flow()
    await say(bob, id, 'hi alice')
    await world.flow()
    for (const device of [alice, bob]) {
      expect(await device.texts(id)).toEqual(['hi bob', 'hi alice'])
      await world.pass(1_000)
      expect(await isSettled(device)).toBe(true)
    }
  })

  it('DEV-1 what alice does on one device appears on her other', async () => {
    const [phone, laptop] = [await world.signedIn('alice'), await world.signedIn('alice')]
    const { id } = await start(phone, ['bob'])
    await say(phone, id, 'hello')
    await world.flow()
    expect(await laptop.texts(id)).toEqual(['hello'])
    await laptop.client.conversation(id).setMetadata({ 'colour.background': 'red' })
    await world.flow()
    const row = await (await phone.replica()).get('conversations', [id])
    expect(row?.metadata).toEqual({ colour: { background: 'red' } })
  })

  it('QUEUE-1 a call resolves when the operation is durable, and its acknowledgement comes later', async () => {
    const alice = await world.signedIn('alice')
    const { id } = await start(alice, ['bob'])
    world.server.network.isUp = false
    const message = await alice.client.conversation(id).sendText('later')
    expect(message.id).toMatch(/^layer:\/\/\/messages\//)
    world.server.network.isUp = true
    await world.flow()
    expect(await message.acknowledged).toMatchObject({ position: 1 })
  })

  it('QUEUE-2 fifty messages written offline survive a reload and go out in order, once', async () => {
    const alice = await world.signedIn('alice')
    const { id } = await start(alice, ['bob'])
    alice.client.disconnect()
    await Promise.all(many(50).map((text) => alice.client.conversation(id).sendText(text)))
    await alice.restart()
    expect(await alice.client.outbox.list()).toHaveLength(50)
    await world.flow()
    expect(serverTexts(id)).toEqual(many(50))
    expect(await alice.texts(id)).toEqual(many(50))
    expect(await isSettled(alice)).toBe(true)
  })

  it('P2 a conversation made offline, with messages and metadata, is whole for everybody afterwards', async () => {
    const [alice, bob] = [await world.signedIn('alice'), await world.signedIn('bob')]
    alice.client.disconnect()
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await conversation.sendText('one')
    await conversation.setMetadata({ title: 'Plans' })
    await conversation.sendText('two')
    alice.client.connect()
    await world.flow()
    expect(await bob.texts(conversation.id)).toEqual(['one', 'two'])
    expect((await (await bob.replica()).get('conversations', [conversation.id]))?.metadata).toEqual({ title: 'Plans' })
  })

  it('DIST-3 two devices make the same distinct conversation offline: one remains, with the messages of both', async () => {
    const [phone, laptop] = [await world.signedIn('alice'), await world.signedIn('alice')]
    phone.client.disconnect()
    laptop.client.disconnect()
    const first = await world.finish(phone.client.createConversation({ participants: ['bob'] }))
    const second = await world.finish(laptop.client.createConversation({ participants: ['bob'] }))
    const oldId = second.id
    await first.conversation.sendText('from the phone')
    await second.conversation.sendText('from the laptop')
    phone.client.connect()
    await world.flow()
    laptop.client.connect()
    await world.flow()
    expect(laptop.heard('relabelled')).toEqual([{ from: oldId, to: first.id }])
    expect(second.conversation.id).toBe(first.id)
    expect((await second.acknowledged).outcome).toBe('found')
    expect(await phone.texts(first.id)).toEqual(['from the phone', 'from the laptop'])
    await second.conversation.sendText('and on')
    await world.flow()
    expect(await phone.texts(first.id)).toHaveLength(3)
    expect(await isSettled(laptop)).toBe(true)
  })

  it('DIST-2 a distinct conversation that is known here is found without asking', async () => {
    const alice = await world.signedIn('alice')
    const { id } = await start(alice, ['bob'])
    alice.client.disconnect()
    const again = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    expect(again.id).toBe(id)
    const other = await world.finish(alice.client.createConversation({ participants: ['cleo'] }))
    expect((await world.finish(alice.client.createConversation({ participants: ['cleo'] }))).id).toBe(other.id)
  })

  it('OPR-6 a refusal in the middle fails that message alone; retry sends it, discard drops it', async () => {
    const alice = await world.signedIn('alice')
    const { id } = await start(alice, ['bob'])
    world.server.judge = (frame) =>
      JSON.stringify(frame.input).includes('bad') ? { refuse: 'access_denied' } : 'carry-out'
    await say(alice, id, 'one', 'bad', 'two', 'bad too')
    await world.flow()
    expect(serverTexts(id)).toEqual(['one', 'two'])
    const [bad, worse] = await alice.client.outbox.list()
    expect([bad, worse].map((entry) => entry?.state.state)).toEqual(['failed', 'failed'])
    expect(alice.heard('operation-failed')).toHaveLength(2)
    world.server.judge = () => 'carry-out'
    await alice.client.outbox.discard(worse!.id)
    await alice.client.outbox.retry(bad!.id)
    await world.flow()
    expect(serverTexts(id)).toEqual(['one', 'two', 'bad'])
    expect(await isSettled(alice)).toBe(true)
  })

  it('CNV-5 leaving takes the conversation from the device and leaves nothing in the outbox', async () => {
    const alice = await world.signedIn('alice')
    const { id } = await start(alice, ['bob'])
    await say(alice, id, 'bye')
    await world.flow()
    await alice.client.conversation(id).leave()
    await world.flow()
    expect(await alice.texts(id)).toEqual([])
    expect(await isSettled(alice)).toBe(true)
  })

  it('CNV-5 leaving leaves nothing in the outbox, also when the acknowledgement comes first and the rest the wrong way round', async () => {
    const alice = await world.signedIn('alice')
    const { id } = await start(alice, ['bob'])
    const held: string[] = []
    world.server.network.tamper = (text, direction) => {
      if (direction === 'up') return [text]
      if (text.includes('"acknowledgement"')) return [text, ...held.splice(0).reverse()]
      held.push(text)
      return []
    }
    await alice.client.conversation(id).leave()
    await world.flow()
    expect(await isSettled(alice)).toBe(true)
  })

  it('CNV-3 deleted for all, it goes from every device', async () => {
    const [alice, bob] = [await world.signedIn('alice'), await world.signedIn('bob')]
    const { id } = await start(alice, ['bob'])
    await say(bob, id, 'hi')
    await world.flow()
    await alice.client.conversation(id).delete('all_participants')
    await world.pass(1_000)
    expect(await bob.texts(id)).toEqual([])
    expect(await isSettled(alice)).toBe(true)
  })

  it('DB-2 a screen shows intentions at once, and a refusal undoes exactly itself', async () => {
    const alice = await world.signedIn('alice')
    const { id } = await start(alice, ['bob'])
    const messages = alice.client.messages({ conversation: id })
    const conversations = alice.client.conversations()
    await world.finish(Promise.all([messages.ready, conversations.ready]))
    const shown = () => messages.snapshot().map((message) => message.parts[0]?.body)
    alice.client.disconnect()
    await say(alice, id, 'one', 'bad', 'two')
    await alice.client.conversation(id).setMetadata({ title: 'New' })
    await world.flow()
    expect(shown()).toEqual(['one', 'bad', 'two'])
    expect(conversations.snapshot()[0]).toMatchObject({ metadata: { title: 'New' } })
    world.server.judge = (frame) =>
      frame.name === 'update-conversation' || JSON.stringify(frame.input).includes('bad')
        ? { refuse: 'access_denied' }
        : 'carry-out'
    alice.client.connect()
    await world.flow()
    expect(shown().filter((text) => text !== 'bad')).toEqual(['one', 'two'])
    expect(conversations.snapshot()[0]).toMatchObject({ metadata: {} })
    for (const { id: operation } of await alice.client.outbox.list()) await alice.client.outbox.discard(operation)
    await world.flow()
    expect(shown()).toEqual(['one', 'two'])
  })

  it('TYPE-1 typing is seen by the others, ends with the message, and is forgotten in silence', async () => {
    const [alice, bob] = [await world.signedIn('alice'), await world.signedIn('bob')]
    const { id } = await start(alice, ['bob'])
    const seen = () => bob.heard('typing').map(({ typing, paused }) => [typing.length, paused.length])
    const conversation = alice.client.conversation(id)
    conversation.typing()
    conversation.typing()
    await world.flow()
    expect(seen()).toEqual([[1, 0]])
    await conversation.sendText('done')
    await world.flow()
    expect(seen().at(-1)).toEqual([0, 0])
    conversation.typing()
    await world.pass(3_000)
    expect(seen().at(-1)).toEqual([0, 1])
    conversation.typing()
    await world.flow()
    world.server.network.tamper = (text, direction) => (direction === 'up' ? [] : [text])
    await world.pass(6_500)
    expect(seen().at(-1)).toEqual([0, 0])
  })
})

describe('receipts', () => {
  const delivered = async (device: Device, id: ConversationId, userId: string) => {
    const rows = await (await device.replica()).scan('participants', { prefix: [id] })
    return rows.find((row) => row.identity.user_id === userId)?.delivered
  }

  it('RCPT-2 a device says delivered by itself, once for a burst, and never for its own messages', async () => {
    const [alice, bob] = [await world.signedIn('alice'), await world.signedIn('bob')]
    const { id } = await start(alice, ['bob'])
    await say(alice, id, ...many(20))
    await world.pass(1_000)
    expect(await delivered(alice, id, 'bob')).toEqual([1, 20])
    const marks = world.server.arrivals.filter(({ name }) => name === 'mark-messages')
    expect(marks.every(({ userId }) => userId === 'bob')).toBe(true)
    expect(marks.length).toBeLessThanOrEqual(3)
    expect(await bob.client.outbox.list()).toEqual([])
  })

  it('DEV-3 what one device has marked, the other does not mark again', async () => {
    const alice = await world.signedIn('alice')
    const phone = await world.signedIn('bob')
    const { id } = await start(alice, ['bob'])
    await say(alice, id, 'hello')
    await world.pass(1_000)
    const before = world.server.arrivals.length
    await world.signedIn('bob')
    await world.pass(1_000)
    expect(world.server.arrivals.length).toBe(before)
    expect(await phone.texts(id)).toEqual(['hello'])
  })

  it('RCPT-2 after an absence, the receipt comes once all of it has arrived', async () => {
    const [alice, bob] = [await world.signedIn('alice'), await world.signedIn('bob')]
    const { id } = await start(alice, ['bob'])
    bob.client.disconnect()
    await say(alice, id, ...many(250))
    await world.flow()
    bob.client.connect()
    await world.pass(1_000)
    expect(await delivered(alice, id, 'bob')).toEqual([1, 250])
  })

  it('RCPT-2 a receipt that was promised with the rows survives a crash', async () => {
    const [alice, bob] = [await world.signedIn('alice'), await world.signedIn('bob')]
    const { id } = await start(alice, ['bob'])
    await say(alice, id, 'hello')
    await world.flow()
    await bob.crash()
    await world.pass(1_000)
    expect(await delivered(alice, id, 'bob')).toEqual([1, 1])
  })

  it('DEV-2 read on one device is read on the other', async () => {
    const [alice, phone, laptop] = [
      await world.signedIn('alice'),
      await world.signedIn('bob'),
      await world.signedIn('bob'),
    ]
    const { id } = await start(alice, ['bob'])
    await say(alice, id, 'a', 'b')
    await world.flow()
    await phone.client.conversation(id).markRead()
    await world.flow()
    const row = await (await laptop.replica()).scan('participants', { prefix: [id] })
    expect(row.find(({ identity }) => identity.user_id === 'bob')?.read).toEqual([1, 2])
  })
})

describe('catching up', () => {
  const seed = async (conversations: number, messages: number) => {
    const alice = await world.signedIn('alice')
    const ids: ConversationId[] = []
    for (let i = 0; i < conversations; i++) {
      const { id } = await start(alice, ['bob'], { distinct: false })
      ids.push(id)
      await Promise.all(many(messages, `c${i}-`).map((text) => alice.client.conversation(id).sendText(text)))
    }
    await world.flow()
    return ids
  }

  it('AUTH-2 a fresh device downloads everything, newest first, and tells how far it is', async () => {
    const ids = await seed(5, 320)
    const bob = world.device('bob')
    const progress: number[] = []
    bob.client.on('history', ({ conversationsDone }) => progress.push(conversationsDone))
    await world.finish(bob.client.authenticate('bob'))
    await world.pass(10_000)
    for (const [i, id] of ids.entries()) expect(await bob.texts(id)).toEqual(many(320, `c${i}-`))
    expect(bob.client.history).toEqual({
      state: 'complete',
      conversationsDone: 5,
      conversationsTotal: 5,
      messages: 1_600,
    })
    expect(progress.length).toBeGreaterThan(5)
  })

  it('P3 an interrupted download goes on where it was', async () => {
    const [id] = await seed(1, 600)
    const bob = world.device('bob')
    let frames = 0
    world.server.network.tamper = (text, direction) => {
      if (direction === 'down' && text.includes('"rows"') && ++frames > 3) world.server.network.isUp = false
      return [text]
    }
    const signIn = bob.client.authenticate('bob')
    await world.flow()
    await signIn
    const half = (await bob.texts(id!)).length
    expect(half).toBeGreaterThan(0)
    expect(half).toBeLessThan(600)
    const pages: string[] = []
    world.server.network.tamper = (text, direction) => {
      if (direction === 'up' && text.includes('"page"')) pages.push(text)
      return [text]
    }
    world.server.network.isUp = true
    await bob.restart()
    await world.pass(2_000)
    expect(await bob.texts(id!)).toEqual(many(600, 'c0-'))
    expect(pages[0]).not.toContain('"before":null')
  })

  it('SYNC-1 after an absence only what changed is fetched', async () => {
    const ids = await seed(20, 3)
    const bob = await world.signedIn('bob')
    await world.flow()
    bob.client.disconnect()
    const alice = await world.signedIn('alice')
    await say(alice, ids[7]!, 'news')
    await world.flow()
    let pulled = ''
    world.server.network.tamper = (text, direction) => {
      if (direction === 'up' && text.includes('"pull"')) pulled += text
      return [text]
    }
    bob.client.connect()
    await world.flow()
    expect(await bob.texts(ids[7]!)).toEqual([...many(3, 'c7-'), 'news'])
    expect(pulled).toContain(ids[7])
    expect(pulled).not.toContain(ids[8])
  })

  it('CON-3 heads heard of but not pulled are remembered over a crash', async () => {
    const [id] = await seed(1, 3)
    const bob = await world.signedIn('bob')
    bob.client.disconnect()
    const alice = await world.signedIn('alice')
    await say(alice, id!, 'news')
    await world.flow()
    // The heads arrive, the pull never leaves.
    world.server.network.tamper = (text, direction) => (direction === 'up' && text.includes('"pull"') ? [] : [text])
    bob.client.connect()
    await world.flow()
    world.server.network.tamper = (text) => [text]
    const cursor = String(world.server.log.cursor)
    await bob.crash()
    await world.flow()
    expect(world.server.hellos.at(-1)?.cursor).toBe(cursor)
    expect(await bob.texts(id!)).toEqual([...many(3, 'c0-'), 'news'])
  })

  it('CON-6 a cursor that comes before the heads is not believed: a crash in between forgets nothing', async () => {
    const [quiet, busy] = await seed(2, 1)
    const bob = await world.signedIn('bob')
    await world.pass(1_000)
    bob.client.disconnect()
    const alice = await world.signedIn('alice')
    await say(alice, quiet!, 'while bob was away')
    await world.flow()
    world.server.network.tamper = (text, direction) => (direction === 'down' && text.includes('"heads"') ? [] : [text])
    bob.client.connect()
    await world.flow()
    await say(alice, busy!, 'live')
    await world.flow()
    world.server.network.tamper = (text) => [text]
    await bob.crash()
    await world.flow()
    expect(await bob.texts(quiet!)).toEqual(['c0-1', 'while bob was away'])
    expect(await bob.texts(busy!)).toEqual(['c1-1', 'live'])
  })

  it('CON-5 a gap is noticed and filled', async () => {
    const [alice, bob] = [await world.signedIn('alice'), await world.signedIn('bob')]
    const { id } = await start(alice, ['bob'])
    await say(alice, id, 'one')
    await world.flow()
    let isLossy = true
    world.server.network.tamper = (text, direction) =>
      direction === 'down' && isLossy && text.includes('"change"') && text.includes('two') ? [] : [text]
    await say(alice, id, 'two')
    await world.flow()
    isLossy = false
    await say(alice, id, 'three')
    await world.flow()
    expect(await bob.texts(id)).toEqual(['one', 'two', 'three'])
  })

  it('CON-2 another epoch means comparing every stream: what differs is fetched anew, the outbox stays', async () => {
    const [id, same] = await seed(2, 5)
    const bob = await world.signedIn('bob')
    await world.pass(1_000)
    bob.client.disconnect()
    await say(bob, same!, 'unsent')
    const { log } = world.server
    log.epoch = 'epoch-2'
    const conversation = log.conversations.get(id!)!
    conversation.messages.splice(2)
    conversation.sequence = 3
    bob.client.connect()
    await world.flow()
    expect(await bob.texts(id!)).toEqual(many(2, 'c0-'))
    expect(await bob.texts(same!)).toEqual([...many(5, 'c1-'), 'unsent'])
    expect(world.server.hellos.at(-1)).toBeDefined()
    await bob.restart()
    await world.flow()
    expect(world.server.hellos.at(-1)?.cursor).not.toBeNull()
  })

  it('CON-9 a stream that shows nothing is not asked for again and again', async () => {
    const alice = await world.signedIn('alice')
    const { log } = world.server
    log.onChange({
      to: alice.client.identity!.id,
      stream: fakeConversation(9),
      after: 4,
      sequence: 5,
      cursor: log.cursor,
      rows: [],
    })
    let asked = 0
    world.server.network.tamper = (text, direction) => {
      if (direction === 'up' && text.includes(fakeConversation(9))) asked++
      return [text]
    }
    await world.pass(20_000)
    expect(asked).toBeGreaterThan(0)
    expect(asked).toBeLessThan(8)
  })

  it('CON-9 a copy that the server shows no more is not pulled again and again', async () => {
    const [alice, bob] = [await world.signedIn('alice'), await world.signedIn('bob')]
    const { id } = await start(alice, ['bob'])
    await say(alice, id, 'hello')
    await world.flow()
    const { log } = world.server
    const me = bob.client.identity!.id
    log.conversations.get(id)!.participants.delete(me)
    log.onChange({ to: me, stream: id, after: 40, sequence: 41, cursor: log.cursor, rows: [] })
    let pulls = 0
    world.server.network.tamper = (text, direction) => {
      if (direction === 'up' && text.includes('"pull"')) pulls++
      return [text]
    }
    await world.pass(60_000)
    expect(pulls).toBeGreaterThan(0)
    expect(pulls).toBeLessThan(8)
    expect(await bob.texts(id)).toEqual(['hello'])
  })

  it('SYNC-2 requests that nobody answers are asked again', async () => {
    const [id] = await seed(1, 3)
    let isLossy = true
    world.server.network.tamper = (text, direction) =>
      direction === 'down' && isLossy && text.includes('"rows"') ? [] : [text]
    const bob = await world.signedIn('bob')
    isLossy = false
    expect(await bob.texts(id!)).toEqual([])
    await world.pass(40_000)
    expect(await bob.texts(id!)).toEqual(many(3, 'c0-'))
  })
})

describe('a line that misbehaves', () => {
  const chat = async () => {
    const devices = [await world.signedIn('alice'), await world.signedIn('alice'), await world.signedIn('bob')] as const
    const { id } = await start(devices[0], ['bob'])
    return { devices, id }
  }
  const converge = async (devices: readonly Device[], id: ConversationId, count: number) => {
    world.server.network.tamper = (text) => [text]
    world.server.network.isUp = true
    await world.pass(150_000)
    const texts = serverTexts(id)!
    expect(new Set(texts).size).toBe(texts.length)
    expect(texts).toHaveLength(count)
    for (const device of devices) {
      expect(await device.texts(id)).toEqual(texts)
      expect(await isSettled(device)).toBe(true)
    }
    return texts
  }

  it('OPR-1 half of the acknowledgements lost: each message exactly once, the outbox empty at the end', async () => {
    const { devices, id } = await chat()
    const chance = new SeededChance(41)
    world.server.network.tamper = (text, direction) =>
      direction === 'down' && text.includes('"acknowledgement"') && chance.number() < 0.5 ? [] : [text]
    await say(devices[0], id, ...many(40))
    await world.pass(60_000)
    await converge(devices, id, 40)
  })

  it('OPR-1 frames doubled both ways: nothing twice', async () => {
    const { devices, id } = await chat()
    const chance = new SeededChance(42)
    world.server.network.tamper = (text) => (chance.number() < 0.3 ? [text, text] : [text])
    await say(devices[0], id, ...many(40))
    await say(devices[2], id, ...many(40, 'b'))
    await world.pass(5_000)
    await converge(devices, id, 80)
  })

  it('STR-5 frames reordered on the way down: order on the screen is right', async () => {
    const { devices, id } = await chat()
    const chance = new SeededChance(43)
    const held: string[] = []
    world.server.network.tamper = (text, direction) => {
      if (direction === 'up') return [text]
      held.push(text)
      if (held.length < 10) return []
      const shuffled = held.splice(0)
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = chance.below(i + 1)
        ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
      }
      return shuffled
    }
    for (const text of many(40)) {
      await say(devices[0], id, text)
      await world.flow()
    }
    await converge(devices, id, 40)
  })

  it('P1 the line cut again and again while sending: nothing lost, nothing doubled, order kept', async () => {
    const { devices, id } = await chat()
    for (const text of many(60)) {
      await say(devices[0], id, text)
      if (Number(text.slice(1)) % 3 === 0) {
        world.server.network.deliver()
        world.server.network.cut()
        await world.pass(700)
      }
    }
    expect(await converge(devices, id, 60)).toEqual(many(60))
  })

  it('P1 cut after every n-th frame of a whole session', async () => {
    const { devices, id } = await chat()
    for (let n = 1; n <= 12; n++) {
      let left = n
      world.server.network.tamper = (text) => {
        if (left-- === 0) queueMicrotask(() => world.server.network.cut())
        return [text]
      }
      await say(devices[0], id, `a${n}`)
      await say(devices[2], id, `b${n}`)
      await world.pass(3_000)
    }
    const texts = await converge(devices, id, 24)
    expect(texts.filter((text) => text.startsWith('a'))).toEqual(many(12, 'a'))
  })

  it('CON-10 a half-open line is found out within forty seconds, and left', async () => {
    const { devices, id } = await chat()
    world.server.network.tamper = (text, direction) => (direction === 'down' ? [] : [text])
    await say(devices[0], id, 'into the void')
    await world.pass(39_000)
    expect(world.server.network.opened).toBe(3)
    await world.pass(6_000)
    expect(world.server.network.opened).toBeGreaterThan(3)
    await converge(devices, id, 1)
  })

  it('CONN-5 what the connection and the history are is the same object until an event says otherwise', async () => {
    const alice = world.device('alice')
    const shown = () => [alice.client.connection, alice.client.history]
    const same = (before: readonly unknown[]) => shown().every((value, i) => Object.is(value, before[i]))
    const told: unknown[] = []
    alice.client.on('connection', (state) => told.push(state))
    await alice.client.opened
    expect(same(shown())).toBe(true)
    await world.finish(alice.client.authenticate('alice'))
    await world.flow()
    expect(alice.client.connection).toBe(told.at(-1))
    const live = shown()
    world.server.challenge()
    await world.flow()
    expect(same(live)).toBe(true)
    alice.client.disconnect()
    expect(alice.client.connection).toBe(told.at(-1))
    expect(same(live)).toBe(false)
  })

  it('CONN-2 damaged text closes the line, nothing of it is applied, and the rest comes again', async () => {
    const { devices, id } = await chat()
    let isBroken = true
    world.server.network.tamper = (text, direction) => {
      if (direction === 'up' || !isBroken || !text.includes('"change"')) return [text]
      isBroken = false
      return [text.slice(0, -20)]
    }
    await say(devices[0], id, 'hello')
    await world.pass(3_000)
    await converge(devices, id, 1)
  })

  it('OPR-5 a server that is busy now and then refuses, nothing overtakes', async () => {
    const { devices, id } = await chat()
    const chance = new SeededChance(5)
    world.server.judge = () =>
      chance.number() < 0.4 ? { refuse: 'service_unavailable', retryAfterMs: 100 } : 'carry-out'
    await say(devices[0], id, ...many(30))
    await world.pass(300_000)
    world.server.judge = () => 'carry-out'
    expect(await converge(devices, id, 30)).toEqual(many(30))
  })

  it('CONN-2 sent away, a device stays away for as long as it was asked to', async () => {
    const { devices, id } = await chat()
    world.server.sendAway(5_000)
    await world.pass(4_900)
    expect(world.server.network.opened).toBe(3)
    await world.pass(3_000)
    expect(world.server.network.opened).toBe(6)
    await say(devices[0], id, 'back')
    await converge(devices, id, 1)
  })

  it('CON-13 devices stay until their time, go, and nobody is told of an outage', async () => {
    const { devices, id } = await chat()
    const told: string[] = []
    for (const { client } of devices) client.on('connection', ({ state }) => told.push(state))
    world.server.askToMove(5_000)
    await world.pass(4_900)
    expect(world.server.network.opened).toBe(3)
    await say(devices[0], id, 'still here')
    await world.pass(200)
    expect(world.server.network.opened).toBe(6)
    expect(new Set(told)).toEqual(new Set(['live']))
    expect(devices.map(({ client }) => client.connection.state)).toEqual(['live', 'live', 'live'])
    await say(devices[0], id, 'elsewhere')
    expect(await converge(devices, id, 2)).toEqual(['still here', 'elsewhere'])
  })

  it('CON-13 what is under way when the time comes is answered first, and nothing new begins', async () => {
    const { devices, id } = await chat()
    world.server.judge = () => 'silence'
    await say(devices[0], id, 'under way')
    world.server.askToMove(0)
    await world.pass(100)
    expect(world.server.network.opened).toBe(5)
    const asked = world.server.arrivals.length
    await say(devices[0], id, 'waits for the next connection')
    await world.pass(1_500)
    expect(world.server.network.opened).toBe(5)
    expect(world.server.arrivals.length).toBe(asked)
    world.server.judge = () => 'carry-out'
    await world.pass(5_000)
    expect(world.server.network.opened).toBe(6)
    expect(await converge(devices, id, 2)).toEqual(['under way', 'waits for the next connection'])
  })

  it('CON-13 what is under way when the time comes arrives once', async () => {
    const { devices, id } = await chat()
    world.server.judge = () => 'silence'
    await say(devices[0], id, ...many(20))
    world.server.askToMove(0)
    await world.pass(50)
    world.server.judge = () => 'carry-out'
    await world.pass(60_000)
    expect(await converge(devices, id, 20)).toEqual(many(20))
  })

  it('CON-13 who lost the connection before its time came is not moved from the next one', async () => {
    const { devices } = await chat()
    world.server.askToMove(20_000)
    await world.pass(100)
    world.server.network.cut()
    await world.pass(5_000)
    expect(world.server.network.opened).toBe(6)
    await world.pass(60_000)
    expect(world.server.network.opened).toBe(6)
    expect(devices[0].client.connection.state).toBe('live')
  })

  it('CON-13 a server that says what is no time is not believed', async () => {
    const { devices } = await chat()
    for (const odd of [-1, 0.5, Number.NaN, 'soon']) {
      world.server.askToMove(odd as number)
      await world.pass(60_000)
      expect(devices[0].client.connection.state).toBe('live')
    }
    // A line that says such things is damaged: it was dropped, and opened again, each time.
    expect(world.server.network.opened).toBe(3 * 5)
  })
})

describe('a device in trouble', () => {
  /** Storage whose commits fail while told to. */
  const brittle = (): { storage: ReplicaStorage; fail: { on: (writes: number) => ReplicaError | undefined } } => {
    const memory = createMemoryStorage()
    const fail = { on: (_writes: number): ReplicaError | undefined => undefined }
    let commits = 0
    const storage: ReplicaStorage = {
      destroy: (appId) => memory.destroy(appId),
      open: async (appId, options) => {
        const replica = await memory.open(appId, options)
        const wrapped: Replica = {
          get: (table, key) => replica.get(table, key),
          getMany: (table, keys) => replica.getMany(table, keys),
          scan: (table, range) => replica.scan(table, range),
          count: (table, range) => replica.count(table, range),
          close: () => replica.close(),
          commit: async (writes, how) => {
            const error = fail.on(++commits)
            if (error) throw error
            await replica.commit(writes, how)
          },
        }
        return wrapped
      },
    }
    return { storage, fail }
  }
  const full = () => new ReplicaError('full', 'No room.')

  it('QUEUE-1 without room, sending fails loudly, and what arrives waits until there is some', async () => {
    const { storage, fail } = brittle()
    const alice = await world.signedIn('alice')
    const bob = await world.signedIn('bob', { storage })
    const { id } = await start(alice, ['bob'])
    fail.on = full
    await expect(bob.client.conversation(id).sendText('x')).rejects.toMatchObject({ code: 'storage_full' })
    await say(alice, id, 'for bob')
    await world.pass(40_000)
    expect(bob.heard('storage')).toContainEqual(expect.objectContaining({ state: 'full' }))
    fail.on = () => undefined
    await world.pass(90_000)
    expect(await bob.texts(id)).toEqual(['for bob'])
    expect(bob.heard('storage').at(-1)).toMatchObject({ state: 'ok' })
  })

  it('SYNC-13 history pauses without room, and goes on by itself', async () => {
    const { storage, fail } = brittle()
    const alice = await world.signedIn('alice')
    const { id } = await start(alice, ['bob'])
    await Promise.all(many(300).map((text) => alice.client.conversation(id).sendText(text)))
    await world.flow()
    let pages = 0
    world.server.network.tamper = (text, direction) => {
      if (direction === 'down' && text.includes('"rows"') && text.includes('"more":true') && ++pages === 2)
        fail.on = full
      return [text]
    }
    const bob = await world.signedIn('bob', { storage })
    expect(bob.client.history.state).toBe('paused')
    expect(bob.client.connection.state).toBe('live')
    world.server.network.tamper = (text) => [text]
    fail.on = () => undefined
    await world.pass(40_000)
    expect(bob.client.history.state).toBe('complete')
    expect(await bob.texts(id)).toEqual(many(300))
  })

  it('P1 a transaction that aborts, at every single write in turn: afterwards all is as it should be', async () => {
    const alice = await world.signedIn('alice')
    const { id } = await start(alice, ['bob'])
    let sent = 0
    for (let n = 1; n <= 25; n++) {
      const { storage, fail } = brittle()
      let isOver = false
      fail.on = (commit) => {
        if (isOver || commit !== n) return undefined
        isOver = true
        return new ReplicaError('broken', 'Aborted.')
      }
      const bob = world.device('bob', { storage })
      const call = bob.client.authenticate('bob')
      await world.finish(call).catch(async () => {
        await world.finish(bob.client.authenticate('bob'))
      })
      await world.pass(2_000)
      await say(alice, id, `a${n}`)
      await world.flow()
      await bob.client
        .conversation(id)
        .sendText(`b${n}`)
        .catch(() => bob.client.conversation(id).sendText(`b${n}`))
      await world.pass(60_000)
      sent += 2
      expect(serverTexts(id)).toHaveLength(sent)
      expect(await bob.texts(id), `commit ${n}`).toEqual(serverTexts(id))
      expect(await isSettled(bob), `commit ${n}`).toBe(true)
      await bob.client.close()
    }
  })
})

describe('chance from a seed', () => {
  const run = async (seed: number) => {
    world = new World(seed)
    const chance = new SeededChance(seed)
    const devices = [await world.signedIn('alice'), await world.signedIn('alice'), await world.signedIn('bob')]
    const { id } = await start(devices[0]!, ['bob'])
    const wanted = new Map<string, string[]>()
    for (let step = 0; step < 60; step++) {
      const device = chance.pick(devices)
      const at = devices.indexOf(device)
      switch (chance.below(8)) {
        case 0:
          device.client.disconnect()
          break
        case 1:
          device.client.connect()
          break
        case 2:
          await (chance.below(2) === 0 ? device.restart() : device.crash())
          break
        case 3:
          world.server.network.cut()
          break
        case 4:
          await world.pass(chance.below(3_000))
          break
        case 5:
          await device.client.conversation(id).markRead()
          break
        default: {
          const text = `${at}-${step}`
          wanted.set(String(at), [...(wanted.get(String(at)) ?? []), text])
          await device.client.conversation(id).sendText(text)
          world.server.network.deliver()
        }
      }
    }
    for (const device of devices) device.client.connect()
    await world.pass(90_000)
    const texts = serverTexts(id)!
    expect([...texts].sort()).toEqual([...wanted.values()].flat().sort())
    for (const [at, own] of wanted) expect(texts.filter((text) => text.startsWith(`${at}-`))).toEqual(own)
    const tables = ['conversations', 'participants', 'messages'] as const
    const all = await Promise.all(
      devices.map(async (device) => {
        const replica = await device.replica()
        return Promise.all(tables.map((table) => replica.scan(table)))
      }),
    )
    for (const rows of all) expect(rows).toEqual(all[0])
    for (const device of devices) expect(await isSettled(device)).toBe(true)
    await world.close()
  }

  for (let seed = 1; seed <= 30; seed++) {
    it(`P1 seed ${seed}: all replicas equal, nothing lost, nothing twice, nobody's messages reordered`, () => run(seed))
  }
})
