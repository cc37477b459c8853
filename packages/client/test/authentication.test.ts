import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

describe('signing in', () => {
  it('AUTH-8 authenticate connects by itself and asks for a nonce, a token, a session', async () => {
    const alice = world.device('alice')
    const identity = await world.finish(alice.client.authenticate('alice'))
    await world.flow()
    expect(identity.user_id).toBe('alice')
    expect(world.server.requests).toEqual(['nonce', 'hello'])
    expect(alice.asked).toHaveLength(1)
    expect(alice.client.connection.state).toBe('live')
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
  })

  it('whoever is closed while it reads what is stored never connects, whenever that is', async () => {
    const alice = await world.signedIn('alice')
    await alice.client.close()
    for (let turns = 0, isConnecting = false; !isConnecting; turns++) {
      let sockets = 0
      const open: typeof world.server.network.open = (...args) => {
        sockets++
        return world.server.network.open(...args)
      }
      const { client } = world.device('alice', { storage: alice.storage, sockets: open })
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      isConnecting = sockets > 0
      await client.close()
      await world.pass(1_000)
      expect(sockets, `closed after ${turns} turns`).toBe(isConnecting ? 1 : 0)
    }
  })

  it('signing in and out for a long life leaves no listeners behind', async () => {
    const alice = world.device('alice')
    const listeners = new Map<EventTarget, number>()
    const count = (name: 'addEventListener' | 'removeEventListener', by: number) => {
      const original = AbortSignal.prototype[name]
      vi.spyOn(AbortSignal.prototype, name).mockImplementation(function (this: AbortSignal, ...args: unknown[]) {
        listeners.set(this, (listeners.get(this) ?? 0) + by)
        original.apply(this, args as never)
      })
    }
    count('addEventListener', 1)
    count('removeEventListener', -1)
    for (let time = 0; time < 4; time++) {
      await world.finish(alice.client.authenticate('alice'))
      await world.flow()
      await world.finish(alice.client.deauthenticate())
    }
    vi.restoreAllMocks()
    expect(Math.max(...listeners.values())).toBeLessThan(3)
  })

  it('AUTH-28 a handler that fails ends in an error of ours, and nobody is signed in', async () => {
    const alice = world.device('alice')
    alice.answer = async () => {
      throw new Error('service down')
    }
    await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject({
      code: 'challenge_failed',
      cause: { message: 'service down' },
    })
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
  })

  it('AUTH-28 a page of HTML in place of a token is no token', async () => {
    const alice = world.device('alice')
    alice.answer = async () => '<!doctype html><title>Sign in to the hotel network</title>'
    await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject({ code: 'challenge_failed' })
    expect(world.server.requests).toEqual(['nonce'])
  })

  it('AUTH-28 somebody else answering for the server is an outage, and no token is said to them', async () => {
    const alice = world.device('alice')
    world.server.network.tamper = (text, way) => (way === 'up' ? [text] : ['<html>Welcome to the hotel</html>'])
    await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject({ code: 'unreachable' })
    expect(alice.asked).toEqual([])
  })

  it('AUTH-40 a token for another user is thrown back and nothing is stored', async () => {
    const alice = world.device('alice')
    alice.answer = async (nonce) => world.server.tokenFor('mallory', nonce)
    await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject({ code: 'wrong_user' })
    expect(world.server.requests).toEqual(['nonce'])
    expect(await alice.rows()).toBe(0)
  })

  it('AUTH-34 a second call joins the one in flight, and one for another user is refused', async () => {
    const alice = world.device('alice')
    await alice.client.opened
    const first = alice.client.authenticate('alice')
    await Promise.resolve()
    const second = alice.client.authenticate('alice')
    await expect(alice.client.authenticate('bob')).rejects.toMatchObject({ code: 'authentication_in_progress' })
    await world.finish(Promise.all([first, second]))
    expect(alice.asked).toHaveLength(1)
  })

  it('AUTH-6 while somebody is authenticated, somebody else is refused and the same user is resumed', async () => {
    const alice = await world.signedIn('alice')
    await expect(alice.client.authenticate('bob')).rejects.toMatchObject({ code: 'already_authenticated' })
    expect((await alice.client.authenticate('alice')).user_id).toBe('alice')
    expect((await alice.client.authenticate()).user_id).toBe('alice')
  })

  it('AUTH-30 who is authenticated asks for no nonce', async () => {
    const alice = await world.signedIn('alice')
    world.server.requests.length = 0
    await alice.client.authenticate('alice')
    expect(world.server.requests).toEqual([])
  })

  it('AUTH-35 a restart resumes the session without asking anybody', async () => {
    const alice = await world.signedIn('alice')
    await alice.restart()
    await world.flow()
    expect(alice.client.state).toMatchObject({ state: 'authenticated', identity: { user_id: 'alice' } })
    expect(alice.client.connection.state).toBe('live')
    expect(alice.asked).toHaveLength(1)
  })

  it('AUTH-36 offline after a restart the user is still there, and so is the data', async () => {
    const alice = await world.signedIn('alice')
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await conversation.sendText('hello')
    await world.flow()
    world.server.network.isUp = false
    await alice.restart()
    await world.flow()
    expect(alice.client.identity?.user_id).toBe('alice')
    expect(alice.client.connection.state).toBe('connecting')
    expect(await alice.texts(conversation.id)).toEqual(['hello'])
  })

  it('AUTH-9 the same user is authenticated on several devices at once', async () => {
    const phone = await world.signedIn('alice')
    const laptop = await world.signedIn('alice')
    expect([phone.client.connection.state, laptop.client.connection.state]).toEqual(['live', 'live'])
  })

  it('AUTH-20 somebody may take minutes to type a password', async () => {
    const alice = world.device('alice')
    const { after } = world.clock
    alice.answer = (nonce) =>
      new Promise((resolve) => void after(5 * 60_000, () => resolve(world.server.tokenFor('alice', nonce))))
    const call = alice.client.authenticate('alice')
    await world.pass(6 * 60_000)
    expect((await call).user_id).toBe('alice')
    expect(alice.asked).toHaveLength(1)
  })

  it('AUTH-40 a session that turns out to be for somebody else is ended again, and nothing is stored', async () => {
    const alice = world.device('alice')
    world.server.welcomes(world.server.log.identity('eve'))
    await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject({ code: 'wrong_user' })
    await world.flow()
    expect(world.server.requests.at(-1)).toBe('DELETE /sessions/current')
    expect(await alice.rows()).toBe(0)
  })

  it('CONN-5 a platform without WebSocket is told what to do, and nothing is lost', async () => {
    const { webSockets } = await import('../src/transport/socket.ts')
    vi.stubGlobal('WebSocket', undefined)
    let hasSockets = false
    const open = webSockets()
    const alice = world.device('alice', {
      sockets: (...args) => (hasSockets ? world.server.network.open : open)(...args),
    })
    await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject({ code: 'no_websocket' })
    hasSockets = true
    await world.finish(alice.client.authenticate('alice'))
    hasSockets = false
    await alice.restart()
    await world.flow()
    vi.unstubAllGlobals()
    expect(alice.heard('problem')[0]).toMatchObject({ error: { code: 'no_websocket' } })
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await conversation.sendText('kept')
    expect(await alice.client.outbox.list()).toHaveLength(2)
  })

  it('AUTH-34 an aborted sign-in leaves nobody signed in', async () => {
    const alice = world.device('alice')
    const abort = new AbortController()
    alice.answer = () => new Promise(() => {})
    const call = alice.client.authenticate('alice', { signal: abort.signal })
    await world.flow()
    abort.abort()
    await expect(world.finish(call)).rejects.toMatchObject({ code: 'aborted' })
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
  })
})

describe('signing out', () => {
  const withUnsent = async (count: number) => {
    const alice = await world.signedIn('alice')
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await world.flow()
    world.server.network.isUp = false
    for (let i = 1; i <= count; i++) await conversation.sendText(`m${i}`)
    return { alice, conversation }
  }
  const sentOf = (alice: string) =>
    world.server.arrivals.filter(({ userId, name }) => userId === alice && name === 'send-message')

  it('AUTH-17 offline it is refused with a clear error, and nothing is deleted', async () => {
    const { alice } = await withUnsent(30)
    alice.client.disconnect()
    await expect(world.finish(alice.client.deauthenticate())).rejects.toMatchObject({ code: 'offline' })
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
    expect(await alice.client.outbox.list()).toHaveLength(30)
  })

  it('AUTH-18 what is unsent goes out first, then the session ends, then the copy goes, then the call returns', async () => {
    const { alice, conversation } = await withUnsent(30)
    world.server.network.isUp = true
    await world.finish(alice.client.deauthenticate())
    expect(sentOf('alice')).toHaveLength(30)
    expect(world.server.log.conversations.get(conversation.id)?.messages).toHaveLength(30)
    expect(world.server.sessions).toEqual([])
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect(alice.heard('deauthenticated')).toMatchObject([{ reason: 'asked', unsent: [] }])
    expect(await alice.rows()).toBe(0)
  })

  it('AUTH-17 a server that dies in the middle means: refused, nothing lost', async () => {
    const { alice } = await withUnsent(30)
    world.server.network.isUp = true
    world.server.judge = () => (world.server.arrivals.length > 10 ? 'silence' : 'carry-out')
    const call = alice.client.deauthenticate()
    call.catch(() => {})
    await world.flow()
    world.server.network.isRefusing = true
    world.server.network.cut()
    await expect(world.finish(call)).rejects.toMatchObject({ code: 'offline' })
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
    world.server.judge = () => 'carry-out'
    world.server.network.isRefusing = false
    await world.pass(60_000)
    expect(await alice.client.outbox.list()).toEqual([])
    const [conversation] = world.server.log.conversations.values()
    expect(conversation?.messages.map((row) => row.parts[0]?.body)).toEqual(
      Array.from({ length: 30 }, (_, i) => `m${i + 1}`),
    )
  })

  it('AUTH-17 when the session cannot be ended, everything stays as it was', async () => {
    const alice = await world.signedIn('alice')
    world.server.intercept = (method) => (method === 'DELETE' ? 'network error' : undefined)
    await expect(world.finish(alice.client.deauthenticate())).rejects.toMatchObject({ code: 'unreachable' })
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
    await alice.restart()
    await world.flow()
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
  })

  it('AUTH-13 while it runs, new operations are refused', async () => {
    const { alice, conversation } = await withUnsent(1)
    world.server.network.isUp = true
    const call = alice.client.deauthenticate()
    await alice.client.opened
    await Promise.resolve()
    await expect(conversation.sendText('too late')).rejects.toMatchObject({ code: 'deauthenticating' })
    await world.finish(call)
  })

  it('AUTH-18 operations that failed are listed, not lost; discardUnsent gives them up', async () => {
    const { alice } = await withUnsent(2)
    world.server.judge = () => ({ refuse: 'access_denied' })
    world.server.network.isUp = true
    await world.flow()
    await expect(world.finish(alice.client.deauthenticate())).rejects.toMatchObject({
      code: 'unsent_work',
      entries: [{ name: 'send-message' }, { name: 'send-message' }],
    })
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
    await world.finish(alice.client.deauthenticate({ discardUnsent: true }))
    expect(alice.heard('unsent')).toMatchObject([{ entries: [{}, {}] }])
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
  })

  it('AUTH-15 the next sign-in brings everything back', async () => {
    const { alice, conversation } = await withUnsent(3)
    world.server.network.isUp = true
    await world.finish(alice.client.deauthenticate())
    await world.finish(alice.client.authenticate('alice'))
    await world.flow()
    expect(await alice.texts(conversation.id)).toEqual(['m1', 'm2', 'm3'])
  })

  it('AUTH-38 kept data is there at once for the same user', async () => {
    const { alice, conversation } = await withUnsent(3)
    world.server.network.isUp = true
    await world.finish(alice.client.deauthenticate({ keepData: true }))
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect(await alice.texts(conversation.id)).toEqual(['m1', 'm2', 'm3'])
    await world.finish(alice.client.authenticate('alice'))
    await world.flow()
    expect(world.server.hellos.at(-1)?.cursor).not.toBeNull()
  })

  it('AUTH-38 what failed is kept as well, and can be retried on the return of the same user', async () => {
    const { alice, conversation } = await withUnsent(2)
    world.server.judge = () => ({ refuse: 'access_denied' })
    world.server.network.isUp = true
    await world.flow()
    await expect(world.finish(alice.client.deauthenticate())).rejects.toMatchObject({ code: 'unsent_work' })
    await world.finish(alice.client.deauthenticate({ keepData: true }))
    expect(world.server.sessions).toEqual([])
    expect(alice.heard('unsent')).toEqual([])
    expect(alice.heard('deauthenticated')).toMatchObject([{ reason: 'asked', unsent: [] }])
    await alice.restart()
    world.server.judge = () => 'carry-out'
    await world.finish(alice.client.authenticate('alice'))
    const kept = await alice.client.outbox.list()
    expect(kept).toMatchObject([{ state: { state: 'failed' } }, { state: { state: 'failed' } }])
    for (const { id } of kept) await alice.client.outbox.retry(id)
    await world.flow()
    expect(await alice.texts(conversation.id)).toEqual(['m1', 'm2'])
  })

  it('AUTH-38 what could not be sent because the session is over goes out on the return of the same user', async () => {
    const { alice, conversation } = await withUnsent(2)
    alice.answer = () => new Promise(() => {})
    world.server.forgetSessions()
    world.server.network.cut()
    world.server.network.isUp = true
    await world.pass(2_000)
    expect(alice.client.state).toMatchObject({ state: 'challenged' })
    const third = await conversation.sendText('m3')
    await expect(world.finish(alice.client.deauthenticate())).rejects.toMatchObject({ code: 'unsent_work' })
    await world.finish(alice.client.deauthenticate({ keepData: true }))
    await expect(third.acknowledged).rejects.toMatchObject({ code: 'not_authenticated' })
    alice.answer = async (nonce) => world.server.tokenFor('alice', nonce)
    await world.finish(alice.client.authenticate('alice'))
    await world.flow()
    expect(await alice.texts(conversation.id)).toEqual(['m1', 'm2', 'm3'])
  })

  it('AUTH-38 kept work goes to the app before the sign-in of somebody else deletes it', async () => {
    const { alice: device, conversation } = await withUnsent(1)
    world.server.judge = () => ({ refuse: 'access_denied' })
    world.server.network.isUp = true
    await world.flow()
    await world.finish(device.client.deauthenticate({ keepData: true }))
    device.answer = async (nonce) => world.server.tokenFor('eve', nonce)
    await world.finish(device.client.authenticate('eve'))
    expect(device.heard('unsent')).toMatchObject([{ entries: [{ input: { parts: [{ body: 'm1' }] } }] }])
    expect(await device.client.outbox.list()).toEqual([])
    expect(await device.texts(conversation.id)).toEqual([])
  })

  it('AUTH-38 keepData with discardUnsent keeps what is confirmed and gives up the rest', async () => {
    const { alice, conversation } = await withUnsent(1)
    await world.flow()
    world.server.judge = () => ({ refuse: 'access_denied' })
    world.server.network.isUp = true
    await world.flow()
    await world.finish(alice.client.deauthenticate({ keepData: true, discardUnsent: true }))
    expect(alice.heard('unsent')).toMatchObject([{ entries: [{}] }])
    await world.finish(alice.client.authenticate('alice'))
    expect(await alice.client.outbox.list()).toEqual([])
    expect(await (await alice.replica()).get('conversations', [conversation.id])).toBeDefined()
  })

  it('AUTH-38 kept data is deleted before anybody else is signed in', async () => {
    const { alice: device, conversation } = await withUnsent(3)
    world.server.network.isUp = true
    await world.finish(device.client.deauthenticate({ keepData: true }))
    device.answer = async (nonce) => world.server.tokenFor('eve', nonce)
    await world.finish(device.client.authenticate('eve'))
    await world.flow()
    expect(await device.texts(conversation.id)).toEqual([])
  })

  it('AUTH-14 a crash between the end of the session and the deletion is made good at the next start', async () => {
    const { alice, conversation } = await withUnsent(1)
    world.server.network.isUp = true
    await world.flow()
    const { destroy } = alice.storage
    Object.assign(alice.storage, { destroy: () => new Promise(() => {}) })
    void alice.client.deauthenticate().catch(() => {})
    await world.flow()
    Object.assign(alice.storage, { destroy })
    await alice.crash()
    await world.flow()
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect(await alice.texts(conversation.id)).toEqual([])
    expect(alice.asked).toHaveLength(1)
  })
})

describe('sessions that end', () => {
  it('AUTH-31 a challenge is answered in place: one call of the handler, no reconnect, nothing dropped', async () => {
    const alice = await world.signedIn('alice')
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await world.flow()
    for (let i = 0; i < 100; i++) await conversation.sendText(`m${i}`)
    world.server.challenge()
    world.server.challenge()
    await world.flow()
    expect(alice.asked).toHaveLength(2)
    expect(alice.heard('renewed')).toHaveLength(1)
    expect(world.server.network.opened).toBe(1)
    expect(world.server.log.conversations.get(conversation.id)?.messages).toHaveLength(100)
    expect(await alice.client.outbox.list()).toEqual([])
  })

  it('AUTH-32 a failing handler is called again, ever more rarely, never in a hot loop', async () => {
    const alice = await world.signedIn('alice')
    alice.answer = async () => {
      throw new Error('down')
    }
    world.server.challenge()
    await world.pass(5 * 60_000)
    const calls = alice.asked.length - 1
    expect(calls).toBeGreaterThan(4)
    expect(calls).toBeLessThan(30)
    expect(alice.heard('challenge-failed').every(({ retryInMs }) => retryInMs >= 5_000)).toBe(true)
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
    alice.answer = async (nonce) => world.server.tokenFor('alice', nonce)
    await world.pass(60_000)
    expect(alice.heard('renewed')).toHaveLength(1)
  })

  it("AUTH-40 a renewal with somebody else's token is never sent", async () => {
    const alice = await world.signedIn('alice')
    alice.answer = async (nonce) => world.server.tokenFor('mallory', nonce)
    world.server.challenge()
    await world.pass(20_000)
    expect(alice.heard('challenge-failed')[0]).toMatchObject({ error: { code: 'wrong_user' } })
    expect(alice.heard('renewed')).toEqual([])
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
  })

  it('AUTH-32 a token the server does not take is followed by another try with a fresh nonce', async () => {
    const alice = await world.signedIn('alice')
    let isFirst = true
    alice.answer = async (nonce) => {
      const used = isFirst ? 'stale' : nonce
      isFirst = false
      return world.server.tokenFor('alice', used)
    }
    world.server.challenge()
    await world.pass(30_000)
    expect(new Set(alice.asked).size).toBe(alice.asked.length)
    expect(alice.heard('renewed')).toHaveLength(1)
  })

  it('AUTH-32 a slow handler (20 s) is waited for', async () => {
    const alice = await world.signedIn('alice')
    alice.answer = (nonce) =>
      new Promise((resolve) => void world.clock.after(20_000, () => resolve(world.server.tokenFor('alice', nonce))))
    world.server.challenge()
    await world.pass(25_000)
    expect(alice.asked).toHaveLength(2)
    expect(alice.heard('renewed')).toHaveLength(1)
  })

  it('AUTH-16 a session that ends without a token: unsent work goes to the app, then the copy is deleted', async () => {
    const alice = await world.signedIn('alice')
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await world.flow()
    world.server.judge = () => 'silence'
    await conversation.sendText('never sent')
    world.server.endSessions()
    await world.flow()
    expect(alice.heard('unsent')).toMatchObject([{ entries: [{ input: { parts: [{ body: 'never sent' }] } }] }])
    expect(alice.heard('deauthenticated')).toMatchObject([{ reason: 'session-ended', unsent: [{}] }])
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect(await alice.texts(conversation.id)).toEqual([])
    await expect(conversation.sendText('x')).rejects.toMatchObject({ code: 'not_authenticated' })
  })

  it('SESS-5 a session that died in our absence is replaced: data and outbox stay', async () => {
    const alice = await world.signedIn('alice')
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await world.flow()
    alice.client.disconnect()
    await conversation.sendText('written offline')
    world.server.forgetSessions()
    alice.client.connect()
    await world.flow()
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
    expect(alice.asked).toHaveLength(2)
    expect(alice.heard('state').map((state) => (state as { state: string }).state)).toContain('challenged')
    expect(await alice.texts(conversation.id)).toEqual(['written offline'])
  })

  it('AUTH-16 when the app says that there is no token, the user is de-authenticated', async () => {
    const alice = await world.signedIn('alice')
    alice.answer = async () => null
    world.server.forgetSessions()
    world.server.network.cut()
    await world.pass(2_000)
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
    expect(alice.heard('deauthenticated')).toMatchObject([{ reason: 'no-token' }])
  })

  it('AUTH-16 ten minutes without a token end it as well, and not sooner', async () => {
    const alice = await world.signedIn('alice')
    alice.answer = async () => {
      throw new Error('down')
    }
    world.server.forgetSessions()
    world.server.network.cut()
    await world.pass(9 * 60_000)
    expect(alice.client.state).toMatchObject({ state: 'challenged' })
    world.clock.jump(365 * 24 * 3_600_000)
    await world.pass(30_000)
    expect(alice.client.state).toMatchObject({ state: 'challenged' })
    await world.pass(2 * 60_000)
    expect(alice.client.state).toEqual({ state: 'unauthenticated' })
  })

  it('SESS-5 in challenged, operations are taken and wait; calling authenticate asks again at once', async () => {
    const alice = await world.signedIn('alice')
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await world.flow()
    alice.answer = async () => {
      throw new Error('down')
    }
    world.server.forgetSessions()
    world.server.network.cut()
    await world.pass(2_000)
    await conversation.sendText('meanwhile')
    alice.answer = async (nonce) => world.server.tokenFor('alice', nonce)
    await world.finish(alice.client.authenticate('alice'))
    await world.flow()
    expect(await alice.texts(conversation.id)).toEqual(['meanwhile'])
  })

  it('AUTH-16 a device that slept through challenge and end gets its chance', async () => {
    const alice = await world.signedIn('alice')
    const { conversation } = await world.finish(alice.client.createConversation({ participants: ['bob'] }))
    await conversation.sendText('hello')
    await world.flow()
    world.server.challenge()
    world.server.endSessions()
    await world.flow()
    expect(alice.client.state).toMatchObject({ state: 'authenticated' })
    expect(await alice.texts(conversation.id)).toEqual(['hello'])
  })
})
