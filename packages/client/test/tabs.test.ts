import { settle } from '@parley/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemLocks } from '../src/environment.ts'
import { type Tab, World } from './world.ts'

let world: World

beforeEach(() => {
  world = new World()
})

afterEach(() => world.close())

const owner = (...tabs: readonly Tab[]) =>
  tabs.filter((tab) => tab.page === world.browser.locks.holder('parley:app'))[0]!
const shown = async (tab: Tab, conversation: string) => {
  const query = tab.client.messages({ conversation, window: 1_000 })
  await world.finish(query.ready)
  await world.flow()
  const texts = query.snapshot().map(({ parts }) => parts[0]?.body)
  query.close()
  return texts
}
const serverTexts = (conversation: string) =>
  [...(world.server.log.conversations.get(conversation as never)?.messages ?? [])].map((each) => each.parts[0]?.body)

/** So many tabs of Alice's, signed in, with a conversation. */
async function tabs(count: number) {
  const first = world.tab()
  await world.finish(first.client.authenticate('alice'))
  const { id } = await world.finish(first.client.createConversation({ participants: ['bob'] }))
  await world.flow()
  const others: Tab[] = []
  for (let n = 1; n < count; n++) {
    others.push(world.tab())
    await world.flow()
  }
  return { all: [first, ...others], id }
}

describe('a tab that does not own', () => {
  it('TAB-1 is told at once who is signed in, and does all that the owner does, over one connection', async () => {
    const { all, id } = await tabs(3)
    const [first, second, third] = all as [Tab, Tab, Tab]
    for (const tab of all) {
      await tab.client.opened
      expect(tab.client.state).toMatchObject({ state: 'authenticated', identity: { user_id: 'alice' } })
      expect(tab.client.connection.state).toBe('live')
      expect(tab.client.history).toEqual(first.client.history)
    }
    const sent = await world.finish(second.client.conversation(id).sendText('from the second'))
    expect((await second.client.outbox.list()).length).toBeLessThanOrEqual(1)
    await world.flow()
    expect(await world.finish(sent.acknowledged)).toBeDefined()
    await world.finish(third.client.conversation(id).sendText('from the third'))
    for (const tab of all) expect(await shown(tab, id)).toEqual(['from the second', 'from the third'])
    expect(world.server.network.connections).toBe(1)
    expect(second.asked).toEqual([])
  })

  it('TAB-1 shows on a screen that stands what another tab does', async () => {
    const { all, id } = await tabs(2)
    const [first, second] = all as [Tab, Tab]
    const query = second.client.messages({ conversation: id })
    const list = second.client.conversations()
    await world.finish(query.ready)
    await world.finish(first.client.conversation(id).sendText('hello'))
    await world.flow()
    expect(query.snapshot().map(({ parts }) => parts[0]?.body)).toEqual(['hello'])
    expect(list.snapshot()[0]?.lastMessage?.parts[0]?.body).toBe('hello')
  })
})

describe('the owner goes', () => {
  it('TAB-2 when it is closed the next one owns at once, with one connection at any time', async () => {
    const { all, id } = await tabs(3)
    await owner(...all).client.close()
    await world.flow()
    const left = all.slice(1)
    for (const tab of left) expect(tab.client.connection.state).toBe('live')
    expect(world.server.network.connections).toBe(1)
    for (const [n, tab] of left.entries()) await world.finish(tab.client.conversation(id).sendText(`after ${n}`))
    await world.flow()
    expect(serverTexts(id)).toEqual(['after 0', 'after 1'])
    // Nobody noticed: the state was never another.
    expect(left[0]!.heard('state').map(({ state }) => state)).toEqual(['authenticated'])
  })

  it('TAB-4 dead at any instant, what other tabs asked for is done once, in the order of each tab', async () => {
    for (let instant = 0; instant < 24; instant++) {
      world = new World(instant + 1)
      const { all, id } = await tabs(4)
      const dying = owner(...all)
      const left = all.filter((tab) => tab !== dying)
      const sent = left.flatMap((tab, t) => [0, 1, 2, 3].map((n) => tab.client.conversation(id).sendText(`${t}-${n}`)))
      for (let turn = 0; turn < instant; turn++) {
        if (turn % 2 === 0) world.browser.channels.deliver()
        else world.server.network.deliver()
        await settle(1)
      }
      // What it said in its last moment may be heard or not.
      if (instant % 3 === 0) world.browser.channels.lose()
      dying.page.die()
      const placed = await world.finish(Promise.all(sent))
      const acknowledged = await world.finish(Promise.all(placed.map((each) => each.acknowledged)))
      await world.flow()
      const texts = serverTexts(id)
      expect(texts.length, `instant ${instant}`).toBe(12)
      expect(new Set(acknowledged.map((each) => (each as { position: number }).position)).size).toBe(12)
      for (const [t, tab] of left.entries()) {
        expect(texts.filter((text) => text?.startsWith(`${t}-`))).toEqual([0, 1, 2, 3].map((n) => `${t}-${n}`))
        expect(await shown(tab, id)).toEqual(texts)
        expect(await tab.client.outbox.list()).toEqual([])
      }
      expect(world.server.network.connections).toBe(1)
      await world.close()
    }
  })

  it('TAB-4 an operation whose answer died with the owner is answered, and nothing of it is seen twice', async () => {
    const { all, id } = await tabs(2)
    const [first, second] = all as [Tab, Tab]
    const call = second.client.conversation(id).setMetadata({ title: 'one' })
    world.browser.channels.deliver()
    await settle()
    const operation = await world.finish(call)
    // Settled, and overtaken by another; but the tab that asked is asleep and never hears of it.
    second.page.freeze()
    await world.flow()
    await world.finish(first.client.conversation(id).setMetadata({ title: 'two' }))
    await world.flow()
    const titles: unknown[] = []
    world.browser.channels.lose()
    first.page.die()
    second.page.thaw()
    const list = second.client.conversations()
    list.subscribe(({ snapshot }) => titles.push(snapshot[0]?.metadata.title))
    await world.pass(30_000)
    await world.finish(operation.acknowledged)
    await world.flow()
    expect(new Set(titles)).toEqual(new Set(['two']))
    expect(await second.client.outbox.list()).toEqual([])
    expect(await (await second.replica()).scan('outbox')).toEqual([])
  })

  it('TAB-4 what was discarded is not done after all', async () => {
    const { all, id } = await tabs(3)
    const [first, second, third] = all as [Tab, Tab, Tab]
    world.server.judge = () => 'silence'
    second.client.disconnect()
    await world.flow()
    const operation = await world.finish(second.client.conversation(id).sendText('never mind'))
    await world.finish(third.client.outbox.discard(operation.operationId))
    // The owner dies before it could tell the second.
    const posted = world.browser.channels.posted.length
    expect(posted).toBeGreaterThan(0)
    second.client.connect()
    first.page.die()
    world.server.judge = () => 'carry-out'
    await expect(world.finish(operation.acknowledged)).rejects.toMatchObject({ code: 'discarded' })
    await world.flow()
    expect(serverTexts(id)).toEqual([])
  })

  it('TAB-4 a sign-in that the owner took along is begun anew, in the tab that wanted it', async () => {
    const first = world.tab()
    await world.flow()
    const second = world.tab()
    await world.flow()
    let asked = 0
    second.answer = async (nonce) => {
      asked++
      if (asked === 1) {
        first.page.die()
        return new Promise(() => {})
      }
      return world.server.tokenFor('alice', nonce)
    }
    const identity = await world.finish(second.client.authenticate('alice'))
    expect(identity.user_id).toBe('alice')
    expect(asked).toBe(2)
    expect(first.asked).toEqual([])
  })
})

describe('an owner that freezes', () => {
  it('TAB-5 without a word: others notice within 25 s, and what it does when it wakes is in vain', async () => {
    const { all, id } = await tabs(3)
    const frozen = owner(...all)
    const [second, third] = all.filter((tab) => tab !== frozen) as [Tab, Tab]
    const late = frozen.client.conversation(id).sendText('written before the frost')
    frozen.page.freeze()
    const sent = second.client.conversation(id).sendText('to nobody')
    await world.pass(25_000)
    await world.finish(sent)
    expect(owner(...all)).not.toBe(frozen)
    await world.pass(1_000)
    expect(second.client.connection.state).toBe('live')
    await world.finish(third.client.conversation(id).sendText('to the new one'))
    frozen.page.thaw()
    await world.finish(late)
    await world.pass(10_000)
    expect(serverTexts(id).toSorted()).toEqual(['to nobody', 'to the new one', 'written before the frost'].toSorted())
    for (const tab of all) expect(await shown(tab, id)).toEqual(serverTexts(id))
    expect(world.server.network.connections).toBe(1)
    expect(frozen.client.state).toMatchObject({ state: 'authenticated' })
    // It is a full citizen again.
    await world.finish(frozen.client.conversation(id).sendText('awake'))
    await world.flow()
    expect(serverTexts(id).at(-1)).toBe('awake')
  })

  it('TAB-5 with a word: it hands over before, and follows when it wakes', async () => {
    const { all, id } = await tabs(3)
    const frozen = owner(...all)
    frozen.hint('sleep')
    frozen.page.freeze()
    await world.flow()
    expect(world.server.network.connections).toBe(1)
    const [second] = all.filter((tab) => tab !== frozen) as [Tab, Tab]
    expect(second.client.connection.state).toBe('live')
    await world.finish(second.client.conversation(id).sendText('meanwhile'))
    frozen.page.thaw()
    frozen.hint('wake')
    await world.flow()
    expect(await shown(frozen, id)).toEqual(['meanwhile'])
    expect(frozen.client.connection.state).toBe('live')
  })

  it('TAB-5 a tab that was asleep itself asks before it takes over', async () => {
    const { all } = await tabs(2)
    const before = owner(...all)
    for (let n = 0; n < 5; n++) {
      await world.clock.sleep(60_000)
      await world.flow()
    }
    await world.pass(30_000)
    expect(owner(...all)).toBe(before)
  })

  it('TAB-5 a tab that slept while the next owner thought itself alone shows what became of that one', async () => {
    const { all } = await tabs(2)
    for (const tab of all) tab.page.freeze()
    const third = world.tab()
    await world.pass(30_000)
    await world.flow()
    expect(third.client.connection.state).toBe('live')
    const follower = all.find((tab) => tab !== owner(...all))!
    follower.page.thaw()
    await world.flow()
    expect(follower.client.connection.state).toBe('live')
  })

  it('TAB-5 a new tab beside an owner that does not answer shows what is there, and takes over', async () => {
    const { all, id } = await tabs(1)
    await world.finish(all[0]!.client.conversation(id).sendText('hello'))
    await world.flow()
    all[0]!.page.freeze()
    const second = world.tab()
    await world.pass(200)
    expect(second.client.state).toMatchObject({ state: 'authenticated', identity: { user_id: 'alice' } })
    expect(await shown(second, id)).toEqual(['hello'])
    const sent = second.client.conversation(id).sendText('still here')
    await world.pass(25_000)
    await world.finish(sent)
    await world.flow()
    expect(serverTexts(id)).toEqual(['hello', 'still here'])
  })

  it('TAB-3 an owner whose term is over writes nothing, whatever it had begun', async () => {
    const { all, id } = await tabs(2)
    const stale = owner(...all)
    const [other] = all.filter((tab) => tab !== stale) as [Tab]
    stale.page.freeze()
    await world.pass(30_000)
    await world.finish(other.client.deauthenticate())
    await world.flow()
    stale.page.thaw()
    void stale.client
      .conversation(id)
      .sendText('too late')
      .catch(() => {})
    await world.pass(10_000)
    expect(await stale.rows()).toBe(0)
    for (const tab of all) expect(tab.client.state).toEqual({ state: 'unauthenticated' })
    expect(serverTexts(id)).toEqual([])
  })
})

describe('signing in and out', () => {
  it('TAB-6 the handler of the tab that signs in is called, and all are signed in', async () => {
    const all = [world.tab(), world.tab(), world.tab()]
    await world.flow()
    const before = owner(...all)
    const [second] = all.filter((tab) => tab !== before) as [Tab]
    await world.finish(second.client.authenticate('alice'))
    await world.flow()
    expect(all.map((tab) => tab.asked.length)).toEqual(all.map((tab) => (tab === second ? 1 : 0)))
    for (const tab of all) expect(tab.client.state).toMatchObject({ state: 'authenticated' })
    expect(world.server.network.connections).toBe(1)
  })

  it('TAB-6 what the handler threw is the cause of the error in its own tab', async () => {
    const all = [world.tab(), world.tab()]
    await world.flow()
    const [second] = all.filter((tab) => tab !== owner(...all)) as [Tab]
    const thrown = new Error('That user and password do not go together.')
    second.answer = async () => {
      throw thrown
    }
    const error = await world.finish(second.client.authenticate('alice')).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'ParleyError', code: 'challenge_failed', cause: thrown })
    for (const tab of all) expect(tab.client.state).toEqual({ state: 'unauthenticated' })
  })

  it('TAB-6 a tab that dies while it is asked for a token leaves the way free', async () => {
    const all = [world.tab(), world.tab(), world.tab()]
    await world.flow()
    const [second, third] = all.filter((tab) => tab !== owner(...all)) as [Tab, Tab]
    second.answer = () => new Promise(() => {})
    void second.client.authenticate('alice').catch(() => {})
    await world.flow()
    expect(third.client.state).toEqual({ state: 'authenticating', userId: 'alice' })
    second.page.die()
    await world.flow()
    expect(third.client.state).toEqual({ state: 'unauthenticated' })
    await world.finish(third.client.authenticate('alice'))
  })

  it('TAB-6 giving up a sign-in gives it up in the owner as well', async () => {
    const all = [world.tab(), world.tab()]
    await world.flow()
    const [second] = all.filter((tab) => tab !== owner(...all)) as [Tab]
    second.answer = () => new Promise(() => {})
    const abort = new AbortController()
    const call = second.client.authenticate('alice', { signal: abort.signal })
    await world.flow()
    abort.abort()
    await expect(world.finish(call)).rejects.toMatchObject({ code: 'aborted' })
    await world.flow()
    for (const tab of all) expect(tab.client.state).toEqual({ state: 'unauthenticated' })
  })

  it('TAB-6 a challenge is answered by one tab', async () => {
    const { all } = await tabs(5)
    for (const tab of all) tab.asked = []
    world.server.challenge()
    await world.pass(5_000)
    expect(all.map((tab) => tab.asked.length).toSorted()).toEqual([0, 0, 0, 0, 1])
    for (const tab of all) expect(tab.heard('renewed')).toHaveLength(1)
  })

  it('TAB-7 signed out in one tab while others send: no row is left, and the others know', async () => {
    const { all, id } = await tabs(3)
    const [first, second, third] = all as [Tab, Tab, Tab]
    const list = third.client.conversations()
    await world.finish(list.ready)
    const call = second.client.deauthenticate({ discardUnsent: true })
    const outcomes: Promise<unknown>[] = []
    for (let n = 0; n < 20; n++) {
      for (const tab of [first, third]) {
        outcomes.push(
          tab.client
            .conversation(id)
            .sendText(`${n}`)
            .catch(() => undefined),
        )
      }
      await settle(1)
      world.browser.channels.deliver()
    }
    await world.finish(call)
    await world.finish(Promise.all(outcomes))
    await world.flow()
    for (const tab of all) {
      expect(tab.client.state).toEqual({ state: 'unauthenticated' })
      expect(tab.heard('deauthenticated')).toHaveLength(1)
    }
    expect(list.snapshot()).toEqual([])
    expect(await first.rows()).toBe(0)
    await expect(third.client.conversation(id).sendText('no')).rejects.toMatchObject({ code: 'not_authenticated' })
  })

  it('TAB-7 a tab that sleeps with the database open does not hinder the deletion', async () => {
    const { all } = await tabs(3)
    const [, second, third] = all as [Tab, Tab, Tab]
    third.page.freeze()
    await world.finish(second.client.deauthenticate())
    expect(await second.rows()).toBe(0)
    third.page.thaw()
    await world.flow()
    expect(third.client.state).toEqual({ state: 'unauthenticated' })
  })

  it('TAB-7 what would be lost is named to the tab that asked', async () => {
    const { all, id } = await tabs(2)
    const [first, second] = all as [Tab, Tab]
    world.server.judge = () => ({ refuse: 'access_denied' })
    await world.finish(first.client.conversation(id).sendText('refused'))
    await world.flow()
    expect(second.heard('operation-failed')).toHaveLength(1)
    const error = await world.finish(second.client.deauthenticate()).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'ParleyError', code: 'unsent_work', entries: [{ name: 'send-message' }] })
    const [entry] = await second.client.outbox.list()
    world.server.judge = () => 'carry-out'
    await world.finish(second.client.outbox.retry(entry!.id))
    await world.flow()
    expect(serverTexts(id)).toEqual(['refused'])
  })
})

describe('closing', () => {
  it('TAB-8 closing is safe twice, in the owner and beside it, and ends what was asked for', async () => {
    const { all, id } = await tabs(3)
    const [first, second, third] = all as [Tab, Tab, Tab]
    first.page.freeze()
    const waiting = second.client.conversation(id).sendText('x')
    await second.client.close()
    await second.client.close()
    await expect(waiting).rejects.toMatchObject({ code: 'closed' })
    expect(second.client.state).toEqual({ state: 'closed' })
    first.page.thaw()
    await first.client.close()
    await world.flow()
    expect(third.client.connection.state).toBe('live')
  })

  it('TAB-9 without locks the newest tab owns, and the next when it goes', async () => {
    const lockless = () => ({ locks: systemLocks() })
    const first = world.tab(lockless())
    await world.finish(first.client.authenticate('alice'))
    const second = world.tab(lockless())
    await world.flow()
    expect(world.server.network.connections).toBe(1)
    const { id } = await world.finish(first.client.createConversation({ participants: ['bob'] }))
    await world.finish(second.client.conversation(id).sendText('one'))
    await world.pass(60_000)
    expect(world.server.network.connections).toBe(1)
    await second.client.close()
    await world.pass(1_000)
    expect(first.client.connection.state).toBe('live')
    await world.finish(first.client.conversation(id).sendText('two'))
    await world.flow()
    expect(serverTexts(id)).toEqual(['one', 'two'])
  })

  it('TAB-9 without a channel a second tab shows what is there, and works once it has the lock', async () => {
    const first = world.tab({ openChannel: () => undefined })
    await world.finish(first.client.authenticate('alice'))
    const { id } = await world.finish(first.client.createConversation({ participants: ['bob'] }))
    const second = world.tab({ openChannel: () => undefined })
    await world.pass(200)
    expect(second.client.state).toMatchObject({ state: 'authenticated' })
    const sent = second.client.conversation(id).sendText('later')
    await world.pass(60_000)
    expect(serverTexts(id)).toEqual([])
    await first.client.close()
    await world.finish(sent)
    await world.flow()
    expect(serverTexts(id)).toEqual(['later'])
  })
})
