/**
 * The founding text of authentication, one test for each of its statements about users, devices and their data. How the
 * parties talk to each other is in `founding-flow.test.ts`.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Deauthentication } from '../src/index.ts'
import { type Device, FoundingWorld } from './founding-world.ts'
import { until } from './support/until.ts'

let world: FoundingWorld
beforeAll(async () => {
  world = await FoundingWorld.open()
})
beforeEach(() => world.begin())
afterEach(() => world.end())
afterAll(() => world.close())

const userOf = ({ client }: Device) => client.identity?.user_id

/** A conversation with somebody, in which these words are at the server. */
async function say(device: Device, participants: readonly string[], ...words: readonly string[]) {
  const { conversation, acknowledged } = await device.client.createConversation({ participants, distinct: false })
  await acknowledged
  const sent = await Promise.all(words.map((text) => conversation.sendText(text)))
  for (const message of sent) await message.acknowledged
  return conversation
}

/** The senders of a conversation's messages, as a screen shows them. */
async function senders(device: Device, conversation: string): Promise<string[]> {
  const messages = device.client.messages({ conversation })
  await messages.ready
  messages.close()
  return messages.snapshot().map(({ sender }) => sender.userId)
}

describe('who is authenticated', () => {
  it('AUTH-1 authenticating is logging in: before it nothing can be done, from then on everything', async () => {
    const alice = world.device('alice')
    await alice.client.opened
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect(alice.client.identity).toBeUndefined()
    const start = () => alice.client.createConversation({ participants: ['ben'] })
    await expect(start()).rejects.toMatchObject({ code: 'not_authenticated' })
    await alice.client.authenticate('alice')
    expect(alice.client.state).toMatchObject({ state: 'authenticated', identity: { user_id: 'alice' } })
    expect(await (await start()).acknowledged).toMatchObject({ outcome: 'created' })
  })

  it('AUTH-2 authenticating brings a copy of every conversation and message into a local database', async () => {
    const ben = await world.signedIn('ben')
    const long = Array.from({ length: 130 }, (_, i) => `m${i + 1}`)
    const { id } = await say(ben, ['alice'], ...long)
    const other = await say(ben, ['alice', 'cleo'], 'all three of us')
    const empty = await say(ben, ['alice'])
    const alice = await world.signedIn('alice', { folder: world.folder() })
    const done = { state: 'complete', conversationsDone: 3, conversationsTotal: 3, messages: 131 }
    await until(() => JSON.stringify(alice.client.history) === JSON.stringify(done))
    alice.goOffline()
    await alice.restart()
    expect(await alice.texts(id)).toEqual(long)
    expect(await alice.texts(other.id)).toEqual(['all three of us'])
    expect(await alice.client.getConversation(empty.id)).toMatchObject({ participantCount: 2, history: 'complete' })
    expect(alice.holdsOnDisk('all three of us')).toBe(true)
  })

  it('AUTH-3 every message sent from then on is attributed to that user, whatever the device was before', async () => {
    const ben = await world.signedIn('ben')
    const { id } = await say(ben, ['alice', 'cleo'])
    const device = await world.signedIn('alice')
    await (await device.client.conversation(id).sendText('I am Alice')).acknowledged
    await device.client.deauthenticate()
    device.loggedIn = 'cleo'
    await device.client.authenticate('cleo')
    await (await device.client.conversation(id).sendText('I am Cleo')).acknowledged
    await ben.shows(id, ['I am Alice', 'I am Cleo'])
    expect(await senders(ben, id)).toEqual(['alice', 'cleo'])
    await device.shows(id, ['I am Alice', 'I am Cleo'])
    expect(await senders(device, id)).toEqual(['alice', 'cleo'])
    // No device says who it speaks for: the server knows.
    expect(device.wire.carrying('layer:///identities/')).not.toContain('say operation')
  })

  it('AUTH-4 a user is known by the id that the app supplies, and is reached by it', async () => {
    const employee = await world.signedIn('employee-4711')
    expect(employee.client.identity).toMatchObject({ user_id: 'employee-4711' })
    const ben = await world.signedIn('ben')
    const { id } = await say(ben, ['employee-4711'], 'welcome')
    await employee.shows(id, ['welcome'])
    const view = await employee.client.getConversation(id)
    expect(view?.participants.map(({ userId }) => userId).sort()).toEqual(['ben', 'employee-4711'])
  })

  it('AUTH-5 any scheme of ids will do: of devices, of social networks, handles, e-mail addresses', async () => {
    const ids = [
      '7D1F3C2A-90B4-4E0B-8F51-0A6B1C2D3E4F',
      '10158392847563921',
      '@ada',
      '@Ada',
      'ada.lovelace+chat@example.com',
      'auth0|5f7c8ec7c33c6c004bbafe82',
      'Ада Лавлейс',
      '🚂/../%2F?#&',
    ]
    const [first, ...others] = await Promise.all(ids.map((id) => world.signedIn(id)))
    const { id } = await say(first!, ids, ids[0]!)
    for (const [i, device] of others.entries()) {
      await until(async () => (await device.client.getConversation(id)) !== null)
      await (await device.client.conversation(id).sendText(ids[i + 1]!)).acknowledged
    }
    for (const device of [first!, ...others]) await device.shows(id, ids)
    expect(await senders(first!, id)).toEqual(ids)
    expect([first!, ...others].map(userOf)).toEqual(ids)
  })

  it('AUTH-6 at most one user is authenticated on a device at a time', async () => {
    const device = world.device('alice')
    await device.client.opened
    const alice = device.client.authenticate('alice')
    await Promise.resolve()
    await expect(device.client.authenticate('ben')).rejects.toMatchObject({ code: 'authentication_in_progress' })
    await alice
    device.loggedIn = 'ben'
    await expect(device.client.authenticate('ben')).rejects.toMatchObject({ code: 'already_authenticated' })
    await device.restart()
    await expect(device.client.authenticate('ben')).rejects.toMatchObject({ code: 'already_authenticated' })
    expect(userOf(device)).toBe('alice')
    expect(device.wire.steps.filter((step) => step === 'say nonce')).toHaveLength(1)
  })

  it('AUTH-7 without a connection nobody can be authenticated', async () => {
    const alice = world.device('alice')
    alice.goOffline()
    await expect(alice.client.authenticate('alice')).rejects.toMatchObject({ code: 'unreachable' })
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect(alice.asked).toEqual([])
    expect(await alice.rows()).toBe(0)
    alice.goOnline()
    expect(await alice.client.authenticate('alice')).toMatchObject({ user_id: 'alice' })
  })

  it('AUTH-8 authenticate connects by itself if the client is not connected', async () => {
    const alice = world.device('alice')
    await alice.client.opened
    expect(alice.client.connection.state).toBe('stopped')
    await alice.client.authenticate('alice')
    await alice.live()
    alice.client.disconnect()
    expect(alice.client.connection.state).toBe('stopped')
    await alice.client.authenticate('alice')
    await alice.live()
    await alice.client.deauthenticate()
    alice.client.disconnect()
    await alice.client.authenticate('alice')
    await alice.live()
  })
})

describe('several devices, several users', () => {
  it('AUTH-9 the same user is authenticated on several devices at once', async () => {
    const devices = await Promise.all([1, 2, 3].map(() => world.signedIn('alice')))
    expect(devices.map(userOf)).toEqual(['alice', 'alice', 'alice'])
    const sessions = devices.map(({ client }) => client.state.state === 'authenticated' && client.state.session.id)
    expect(new Set(sessions).size).toBe(3)
    for (const { client } of devices) {
      const { acknowledged } = await client.createConversation({ participants: ['ben'], distinct: false })
      expect(await acknowledged).toMatchObject({ outcome: 'created' })
    }
    await devices[0]!.client.deauthenticate()
    expect(devices.map(({ client }) => client.connection.state)).toEqual(['stopped', 'live', 'live'])
  })

  it('AUTH-10 each of the devices hears of new messages, changed conversations and what was read', async () => {
    const ben = await world.signedIn('ben')
    const [phone, laptop] = [await world.signedIn('alice'), await world.signedIn('alice')]
    const conversation = await say(ben, ['alice'], 'hello Alice')
    const { id } = conversation
    const both = [phone, laptop]
    const view = ({ client }: Device) => client.getConversation(id)
    for (const device of both) await device.shows(id, ['hello Alice'])
    await (await phone.client.conversation(id).sendText('hello Ben')).acknowledged
    for (const device of [...both, ben]) await device.shows(id, ['hello Alice', 'hello Ben'])
    await conversation.setMetadata({ title: 'Us' })
    for (const device of both) await until(async () => (await view(device))?.metadata.title === 'Us')
    expect((await view(laptop))?.unreadCount).toBe(1)
    await phone.client.conversation(id).markRead()
    for (const device of both) await until(async () => (await view(device))?.unreadCount === 0)
  })

  it('AUTH-11 the current user is de-authenticated before another one is authenticated', async () => {
    const device = await world.signedIn('alice')
    const { id } = await say(device, ['cleo'], 'not for Ben')
    device.loggedIn = 'ben'
    await expect(device.client.authenticate('ben')).rejects.toMatchObject({ code: 'already_authenticated' })
    expect(await device.texts(id)).toEqual(['not for Ben'])
    await device.client.deauthenticate()
    await device.client.authenticate('ben')
    await until(() => device.client.history.state === 'complete')
    expect(userOf(device)).toBe('ben')
    expect(await device.texts(id)).toEqual([])
  })

  it('AUTH-12 a log-out of the app that forgets to de-authenticate does not hand one user’s messages to the next', async () => {
    const device = await world.signedIn('alice')
    const { id } = await say(device, ['cleo'], 'not for Ben')
    const { session: opened } = device.wire.find('hear welcome').body as { session: { token: string } }
    const session = opened.token
    // The app forgets its own log-in only: for Parley this is still Alice's device, and Ben stays out.
    device.loggedIn = 'ben'
    expect(await device.client.authenticate()).toMatchObject({ user_id: 'alice' })
    await expect(device.client.authenticate('ben')).rejects.toMatchObject({ code: 'already_authenticated' })
    expect((await world.ask('GET', '/', { token: session })).status).toBe(200)
    // The whole log-out: de-authenticate, wait, then the next user.
    await device.client.deauthenticate()
    expect((await world.ask('GET', '/', { token: session })).status).toBe(401)
    expect(await device.client.authenticate()).toMatchObject({ user_id: 'ben' })
    expect(await device.texts(id)).toEqual([])
  })

  it('AUTH-13 the next user has to wait for the callback of the de-authentication', async () => {
    const device = await world.signedIn('alice')
    await say(device, ['cleo'], 'hello')
    let isOver = false
    device.client.on('deauthenticated', () => {
      isOver = true
    })
    const leaving = device.client.deauthenticate()
    device.loggedIn = 'ben'
    await until(() => device.client.state.state === 'deauthenticating')
    await expect(device.client.authenticate('ben')).rejects.toMatchObject({ code: 'deauthenticating' })
    expect(isOver).toBe(false)
    await leaving
    expect(isOver).toBe(true)
    expect(await device.rows()).toBe(0)
    expect(await device.client.authenticate('ben')).toMatchObject({ user_id: 'ben' })
  })
})

describe('leaving', () => {
  it('AUTH-14 de-authenticating deletes every conversation and message from the device', async () => {
    const alice = await world.signedIn('alice', { folder: world.folder() })
    const { id } = await say(alice, ['ben'], 'a word that is nowhere else')
    await alice.shows(id, ['a word that is nowhere else'])
    expect(alice.holdsOnDisk('nowhere else')).toBe(true)
    await alice.client.deauthenticate()
    expect(await alice.rows()).toBe(0)
    expect(alice.holdsOnDisk('nowhere else')).toBe(false)
    expect(alice.holdsOnDisk(id)).toBe(false)
    await alice.restart()
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect(await alice.texts(id)).toEqual([])
  })

  it('AUTH-15 they are synchronised again the next time the user authenticates', async () => {
    const alice = await world.signedIn('alice', { folder: world.folder() })
    const { id } = await say(alice, ['ben'], 'one', 'two')
    await alice.client.deauthenticate()
    const ben = await world.signedIn('ben')
    await (await ben.client.conversation(id).sendText('three, in your absence')).acknowledged
    expect(await alice.texts(id)).toEqual([])
    await alice.client.authenticate('alice')
    await alice.shows(id, ['one', 'two', 'three, in your absence'])
  })

  it('AUTH-16 it happens in three ways: a call, an identity token that expires, data of the app that is deleted', async () => {
    const ends: Record<string, (device: Device) => Promise<unknown>> = {
      asked: ({ client }) => client.deauthenticate(),
      'session-ended': async (device) => {
        device.loggedIn = null
        await world.clock.advance(29_000)
        await until(() => device.asked.length === 2)
        expect(device.client.state).toMatchObject({ state: 'authenticated' })
        await world.clock.advance(2_000)
      },
      'data-deleted': ({ storage }) => storage.destroy(world.app.appId),
    }
    for (const [reason, end] of Object.entries(ends)) {
      const alice = await world.signedIn('alice', { tokenSeconds: 30, folder: world.folder() })
      const { id } = await say(alice, ['ben'], 'hello')
      await alice.shows(id, ['hello'])
      const over = new Promise<Deauthentication>((resolve) => alice.client.on('deauthenticated', resolve))
      await end(alice)
      expect(await over).toMatchObject({ reason, identity: { user_id: 'alice' }, unsent: [] })
      expect(alice.client.state).toEqual({ state: 'unauthenticated' })
      expect(await alice.rows()).toBe(0)
      expect(await alice.texts(id)).toEqual([])
    }
  })

  it('AUTH-17 the device has to be online to de-authenticate; offline it is refused and nothing is deleted', async () => {
    const alice = await world.signedIn('alice')
    const conversation = await say(alice, ['ben'], 'sent')
    await alice.shows(conversation.id, ['sent'])
    alice.goOffline()
    await conversation.sendText('unsent')
    await expect(alice.client.deauthenticate()).rejects.toMatchObject({ code: 'offline' })
    alice.client.disconnect()
    await expect(alice.client.deauthenticate()).rejects.toMatchObject({ code: 'offline' })
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
    await alice.restart()
    expect(userOf(alice)).toBe('alice')
    expect(await alice.texts(conversation.id)).toEqual(['sent', 'unsent'])
    alice.goOnline()
    await alice.live()
    await alice.client.deauthenticate()
    expect(await alice.rows()).toBe(0)
  })

  it('AUTH-18 what waits to be sent reaches the server before the session ends', async () => {
    const [alice, ben] = [await world.signedIn('alice'), await world.signedIn('ben')]
    const conversation = await say(alice, ['ben'])
    alice.goOffline()
    const queued = Array.from({ length: 40 }, (_, i) => `queued ${i + 1}`)
    await Promise.all(queued.map((text) => conversation.sendText(text)))
    const left = new Promise<void>((resolve, reject) => {
      alice.client.on('connection', ({ state }) => {
        if (state === 'live') alice.client.deauthenticate().then(resolve, reject)
      })
    })
    alice.wire.crossings.length = 0
    alice.goOnline()
    await left
    const { steps } = alice.wire
    const end = steps.findIndex((step) => step.startsWith('DELETE parley/sessions/'))
    expect(steps.filter((step) => step === 'hear acknowledgement')).toHaveLength(40)
    expect(steps.lastIndexOf('hear acknowledgement')).toBeLessThan(end)
    await ben.shows(conversation.id, queued)
    expect(await alice.rows()).toBe(0)
  })
})
