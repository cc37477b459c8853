/** CON-16 on the device: nonce, token and session travel on the socket that then is the session's. */
import { errors, toWireError } from '@parley/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

/** Instead of a welcome the server says this, and closes. */
function insteadOfWelcome(frame: object): void {
  world.server.network.tamper = (text) => [text.includes('"type":"welcome"') ? JSON.stringify(frame) : text]
}

const signIn = (device: ReturnType<World['device']>) => world.finish(device.client.authenticate(device.userId))

describe('CON-16 signing in', () => {
  it('takes one connection, which goes on as the session’s', async () => {
    const alice = await world.signedIn('alice')
    expect([world.server.network.opened, world.server.hellos.length]).toEqual([1, 1])
    expect(alice.heard('connection').map(({ state }) => state)).toEqual(['connecting', 'greeting', 'live'])
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await conversation.sendText('on it')
    await world.flow()
    expect(await alice.texts(conversation.id)).toEqual(['on it'])
    expect(world.server.network.opened).toBe(1)
  })

  it('misses nothing that was said before the copy on the device was ready', async () => {
    const bob = await world.signedIn('bob')
    const { conversation } = await world.finish(bob.client.createConversation({ participants: ['alice'] }))
    await conversation.sendText('before')
    await world.flow()
    const alice = world.device('alice')
    const call = alice.client.authenticate('alice')
    // Each step of the sign-in is overtaken by another message.
    for (let step = 0; step < 40; step++) {
      await Promise.resolve()
      if (step % 4 === 0) await conversation.sendText(`message ${step}`)
      world.server.network.deliver()
    }
    await world.finish(call)
    await world.flow()
    expect(await alice.texts(conversation.id)).toEqual(await bob.texts(conversation.id))
    expect(await alice.texts(conversation.id)).toHaveLength(11)
  })

  it('whoever takes long to type a password says their token on another connection', async () => {
    const alice = world.device('alice')
    const { after } = world.clock
    alice.answer = (nonce) =>
      new Promise((resolve) => void after(8_500, () => resolve(world.server.tokenFor('alice', nonce))))
    const call = alice.client.authenticate('alice')
    await world.pass(9_000)
    expect((await call).user_id).toBe('alice')
    expect([world.server.network.opened, world.server.network.connections]).toEqual([2, 1])
    expect(world.server.requests).toEqual(['nonce', 'hello'])
  })

  it('the same when the first connection was lost meanwhile', async () => {
    const alice = world.device('alice')
    alice.answer = async (nonce) => {
      world.server.network.cut()
      return world.server.tokenFor('alice', nonce)
    }
    await signIn(alice)
    expect(world.server.network.opened).toBe(2)
  })

  it('AUTH-38 goes on from the copy that was kept for the same user, and from nothing for another one', async () => {
    const device = await world.signedIn('alice')
    await world.finish(device.client.createConversation({ participants: ['bob'] }))
    await world.flow()
    await world.finish(device.client.deauthenticate({ keepData: true }))
    world.server.hellos.length = 0
    await signIn(device)
    await world.flow()
    expect(world.server.hellos).toEqual([{ cursor: expect.stringMatching(/^\d+$/) }])
    await world.finish(device.client.deauthenticate({ keepData: true }))
    device.answer = async (nonce) => world.server.tokenFor('bob', nonce)
    await world.finish(device.client.authenticate('bob'))
    await world.flow()
    expect(world.server.hellos[1]).toEqual({ cursor: null })
    expect(await (await device.replica()).scan('conversations')).toHaveLength(1)
  })

  it.each([
    ['a refusal that stands', 'invalid_app_id', 'refused'],
    ['a server that is busy', 'service_unavailable', 'unreachable'],
    ['a server that failed', 'internal_server_error', 'unreachable'],
  ] as const)('AUTH-28 ends with what was said: %s', async (_, id, code) => {
    const alice = world.device('alice')
    insteadOfWelcome({ type: 'goodbye', reason: 'refused', error: toWireError({ id }) })
    await expect(signIn(alice)).rejects.toMatchObject({ code, refusal: { id, code: errors[id].code } })
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect([await alice.rows(), world.server.network.connections]).toEqual([0, 0])
  })

  it.each([
    ['a server that goes', { type: 'goodbye', reason: 'going_away', retry_after_ms: 500 }],
    ['a disturbed line', { type: 'welcome' }],
    ['a welcome without a session', { type: 'welcome', identity: {}, session: {}, epoch: 'e', server_time: 't' }],
    ['silence', { type: 'pong', server_time: 't' }],
  ])('AUTH-28 is unreachable with %s, and leaves no connection behind', async (_, frame) => {
    const alice = world.device('alice')
    insteadOfWelcome(frame)
    await expect(signIn(alice)).rejects.toMatchObject({ code: 'unreachable' })
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect([await alice.rows(), world.server.network.connections]).toEqual([0, 0])
    world.server.network.tamper = (text) => [text]
    await signIn(alice)
  })

  it('AUTH-34 leaves no connection behind when it is given up, or the handler has nothing', async () => {
    const alice = world.device('alice')
    const abort = new AbortController()
    alice.answer = () => new Promise(() => {})
    const call = alice.client.authenticate('alice', { signal: abort.signal })
    await world.flow()
    expect(world.server.network.connections).toBe(1)
    abort.abort()
    await expect(world.finish(call)).rejects.toMatchObject({ code: 'aborted' })
    expect(world.server.network.connections).toBe(0)
    alice.answer = async () => null
    await expect(signIn(alice)).rejects.toMatchObject({ code: 'challenge_failed' })
    expect(world.server.network.connections).toBe(0)
  })

  it('an app that wants no connection any more has none, and is signed in', async () => {
    const alice = world.device('alice')
    const answer = alice.answer
    alice.answer = async (nonce, signal) => {
      await alice.client.disconnect()
      return answer(nonce, signal)
    }
    await signIn(alice)
    await world.flow()
    expect([alice.client.connection.state, world.server.network.connections]).toEqual(['stopped', 0])
    alice.client.connect()
    await world.flow()
    expect(alice.client.connection.state).toBe('live')
  })

  it('AUTH-31 a session that died is followed by another on one more connection, and what waits goes out on it', async () => {
    const alice = await world.signedIn('alice')
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    world.server.forgetSessions()
    world.server.network.cut()
    await conversation.sendText('waits')
    await world.pass(5_000)
    expect(alice.client.connection.state).toBe('live')
    // One at first, one that heard of the end, one for the new session.
    expect(world.server.network.opened).toBe(3)
    expect(world.server.requests.filter((what) => what === 'hello')).toHaveLength(2)
    expect(await alice.texts(conversation.id)).toEqual(['waits'])
  })
})
