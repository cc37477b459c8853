/** The steps of an unmodified Layer Web SDK, from connecting to logging out, wherever it lives. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../support.ts'
import { conversationUri, identityUri } from './rest.ts'
import type { SdkHost } from './sdk-host.ts'
import { type OpenSdk, type Stage, setStage } from './stage.ts'

export function walk(place: string, open: OpenSdk): void {
  describe(`layer-websdk 3.4.18, as published, ${place}`, () => {
    let stage: Stage
    let ada: SdkHost
    let ben: SdkHost
    /** A conversation of all three, started by our own client. */
    let party: string
    /** A conversation of ada and ben, started by the SDK. */
    let lunch: string
    beforeAll(async () => {
      stage = await setStage(open)
      ;({ ada, ben } = stage)
      const { cleo } = stage
      const made = await cleo.create('create-conversation', { participants: ['ada', 'ben'], distinct: false })
      await cleo.create('send-message', { conversation: made.id, parts: text('Welcome') })
      party = conversationUri(made.id)
    })
    afterAll(() => stage?.close())

    const wireLength = (host: SdkHost) => host.run((sdk) => sdk.wire.length)
    /** Sends a text; answers its id once the server has it. */
    const send = (host: SdkHost, conversation: string, body: string) =>
      host.run(
        (sdk, given) =>
          new Promise<string>((resolve) => {
            const message = sdk.client.getConversation(given.conversation)!.createMessage(given.body)
            message.on('messages:sent', () => resolve(message.id))
            message.send()
          }),
        { conversation, body },
      )
    /** Waits until a conversation's newest message has a text; answers its id. */
    const received = (host: SdkHost, conversation: string, body: string) =>
      host.until(
        (sdk, given) => {
          const last = sdk.client.getConversation(given.conversation)?.lastMessage
          return last && last.parts[0]!.body === given.body ? last.id : undefined
        },
        { conversation, body },
      )
    const read = (host: SdkHost, message: string) =>
      host.run((sdk, id) => {
        sdk.client.getMessage(id)!.isRead = true
      }, message)

    it('LAY-STEP-1 connecting, it looks whether anybody is there and asks for a nonce', async () => {
      for (const [host, name] of [
        [ada, 'ada'],
        [ben, 'ben'],
      ] as const) {
        await host.run((sdk, userId) => sdk.client.connect(userId), name)
      }
      const probe = await ada.heard('http', 'HEAD /ping?client=3.4.18')
      expect(await ada.heard('http', 'POST /nonces')).toBeDefined()
      await ada.until((sdk) => sdk.wire.every(({ way, status }) => way !== 'http' || status !== undefined))
      const [ping, nonces] = (await ada.wire()).filter(({ way }) => way === 'http')
      expect([ping?.what, ping?.status, nonces?.status]).toEqual([probe.what, 200, 201])
    })

    it('LAY-STEP-2 the nonce challenges the app, whose service answers with an identity token', async () => {
      await ada.until((sdk) => sdk.events.includes('challenge'))
    })

    it('LAY-STEP-3 the identity token opens a session', async () => {
      const opened = await ada.until((sdk) =>
        sdk.wire.find(({ what, status }) => what === 'POST /sessions' && status !== undefined),
      )
      expect(opened).toMatchObject({ status: 201, body: { app_id: stage.home.app.appId } })
    })

    it('LAY-STEP-4 it opens a socket, loads its own full identity, and is ready', async () => {
      for (const host of [ada, ben])
        await host.until((sdk) => sdk.client.isReady && sdk.wire.some(({ what }) => what === 'socket'))
      const own = await ada.run(({ client: { user } }) => [
        user.userId,
        user.displayName,
        user.isFullIdentity,
        user.sessionOwner,
      ])
      expect(own).toEqual(['ada', 'ADA', true, true])
    })

    it('LAY-STEP-5 it says it is there, and the first packet verifies the connection', async () => {
      await ada.heard('up', 'request Presence.subscribe')
      await ada.heard('up', 'request Presence.update')
      const answer = await ada.heard('down', 'response Presence.subscribe')
      expect(answer.body).toMatchObject({ body: { success: true } })
      // A change may have come before the answer; whatever came first counts.
      expect((await ada.heard('down', '')).body).toMatchObject({ counter: 0 })
    })

    it('LAY-STEP-6 queries list conversations, messages, identities, and no announcements or channels', async () => {
      const ask = (host: SdkHost) =>
        host.run((sdk, conversation) => {
          const query = (model: string, more: object = {}) =>
            sdk.client.createQuery({ model, paginationWindow: 100, ...more })
          const { Conversation, Message, Identity, Announcement, Channel } = sdk.layer.Query
          sdk.queries.conversations = query(Conversation, { sortBy: [{ 'lastMessage.sentAt': 'desc' }] })
          sdk.queries.messages = query(Message, { predicate: `conversation.id = '${conversation}'` })
          sdk.queries.identities = query(Identity)
          sdk.queries.announcements = query(Announcement)
          sdk.queries.channels = query(Channel)
        }, party)
      for (const host of [ada, ben]) await ask(host)
      for (const host of [ada, ben])
        await host.until((sdk) => Object.values(sdk.queries).every((query) => !query.isFiring))
      const uuid = party.split('/').at(-1)
      for (const path of [
        '/conversations?sort_by=last_message&page_size=100',
        `/conversations/${uuid}/messages?page_size=100`,
        '/identities?page_size=100',
        '/announcements?page_size=100',
        '/channels?page_size=100',
      ]) {
        expect(await ada.heard('http', `GET ${path}`)).toMatchObject({ status: 200 })
      }
      const found = await ada.run(({ queries }) =>
        Object.fromEntries(
          Object.entries(queries).map(([name, { data, totalSize }]) => [name, [data.length, totalSize]]),
        ),
      )
      expect(found).toEqual({
        conversations: [1, 1],
        messages: [1, 1],
        identities: [2, 2],
        announcements: [0, 0],
        channels: [0, 0],
      })
      const welcome = await received(ada, party, 'Welcome')
      expect(await ada.run((sdk, id) => sdk.client.getMessage(id)!.sender.displayName, welcome)).toBe('Cleo')
    })

    it('LAY-STEP-7 it asks for the presence of those it met, and hears it', async () => {
      expect(await ada.heard('up', 'request Presence.sync')).toMatchObject({
        body: { body: { data: { ids: expect.any(Array) } } },
      })
      for (const id of ['c.leo', 'ben'].map(identityUri)) {
        await ada.until((sdk, asked) => sdk.client.getIdentity(asked)?.status === 'available', id)
      }
    })

    it('LAY-STEP-8 a conversation and its first message are created, and reach the other', async () => {
      lunch = await ada.run(
        (sdk) =>
          new Promise<string>((resolve) => {
            const conversation = sdk.client.createConversation({
              participants: ['ben'],
              distinct: true,
              metadata: { title: 'Lunch' },
            })
            conversation
              .createMessage('Noon?')
              .send()
              .on('messages:sent', () => resolve(conversation.id))
          }),
      )
      const up = (await ada.wire())
        .filter(({ way, what }) => way === 'up' && what.endsWith('.create'))
        .map(({ what }) => what)
      expect(up).toEqual(['request Conversation.create', 'request Message.create'])
      await received(ben, lunch, 'Noon?')
      await ben.until((sdk) => sdk.notified.includes('Noon?'))
      const seen = await ben.run((sdk, id) => {
        const { metadata, distinct, participants, unreadCount } = sdk.client.getConversation(id)!
        return { metadata, distinct, people: participants.map(({ userId }) => userId), unreadCount }
      }, lunch)
      expect(seen).toEqual({ metadata: { title: 'Lunch' }, distinct: true, people: ['ada', 'ben'], unreadCount: 1 })
      await ben.until((sdk, id) => sdk.queries.conversations!.data[0]!.id === id, lunch)
    })

    it('LAY-STEP-8 our own client and the SDK hear each other in one conversation', async () => {
      const { cleo } = stage
      const id = party.split('/').at(-1)!
      await cleo.create('send-message', { conversation: id, parts: text('From cleo') })
      await received(ada, party, 'From cleo')
      await send(ada, party, 'From ada')
      const change = await cleo.hear('change', ({ rows }) =>
        rows.some((row) => row.type === 'message' && row.sender === identityUri('ada')),
      )
      expect(change.rows[0]).toMatchObject({ type: 'message', parts: text('From ada') })
      await received(ben, party, 'From ada')
    })

    it('LAY-STEP-9 a part too large to go inline is refused, and what follows goes out', async () => {
      const from = await wireLength(ada)
      await ada.run((sdk, id) => {
        const parts = [{ body: 'x'.repeat(3_000), mimeType: 'text/plain' }]
        sdk.client.getConversation(id)!.createMessage({ parts }).send()
      }, lunch)
      await ada.until(
        (sdk, start) => sdk.wire.slice(start).find(({ what, status }) => what === 'POST /content' && status === 422),
        from,
      )
      await send(ada, lunch, 'Or at one?')
      await received(ben, lunch, 'Or at one?')
    })

    it('LAY-STEP-10 what arrives is marked delivered by itself, and read when it is read', async () => {
      const message = await send(ada, lunch, 'Read me')
      const posted = (type: string) =>
        ben.until(
          (sdk, asked) =>
            sdk.wire.find(
              ({ what, body, status }) =>
                what === `POST ${asked.path}` && status === 204 && (body as { type?: string }).type === asked.type,
            ),
          { path: `/messages/${message.split('/').at(-1)}/receipts`, type },
        )
      await posted('delivery')
      await ada.until((sdk, id) => sdk.client.getMessage(id)?.deliveryStatus === 'ALL', message)
      expect(await ada.run((sdk, id) => sdk.client.getMessage(id)?.readStatus, message)).toBe('NONE')
      await read(ben, message)
      await posted('read')
      await ada.until((sdk, id) => sdk.client.getMessage(id)?.readStatus === 'ALL', message)
    })

    it('LAY-STEP-10 receipts pass between our own client and the SDK', async () => {
      const { cleo } = stage
      const conversation = party.split('/').at(-1)!
      const message = await send(ada, party, 'Who reads this?')
      const sent = await cleo.hear('change', ({ rows }) =>
        rows.some((row) => row.type === 'message' && row.id === message),
      )
      const position = (sent.rows.find((row) => row.type === 'message') as { position: number }).position
      await cleo.ask('mark-messages', { conversation, receipt: 'delivery', position })
      await ada.until((sdk, id) => sdk.client.getMessage(id)?.deliveryStatus === 'ALL', message)
      await cleo.ask('mark-messages', { conversation, receipt: 'read', position, only: true })
      await ada.until((sdk, id) => sdk.client.getMessage(id)?.readStatus === 'SOME', message)
      await read(ben, await received(ben, party, 'Who reads this?'))
      await ada.until((sdk, id) => sdk.client.getMessage(id)?.readStatus === 'ALL', message)
      await cleo.hear('change', ({ rows }) =>
        rows.some(
          (row) => row.type === 'participant' && row.identity.user_id === 'ben' && row.read.at(-1)! >= position,
        ),
      )
    })

    it('LAY-STEP-11 metadata and participants are patched, and everybody sees it', async () => {
      const odd = "o'neil (x)~"
      const encoded = 'o%27neil%20%28x%29%7E'
      await ada.run((sdk, id) => {
        sdk.client.getConversation(id)!.setMetadataProperties({ title: 'Brunch', 'theme.color': 'red' })
      }, lunch)
      await ben.until((sdk, id) => {
        const { metadata } = sdk.client.getConversation(id)!
        return metadata.title === 'Brunch' && (metadata.theme as { color?: string } | undefined)?.color === 'red'
      }, lunch)
      await ada.run((sdk, id) => sdk.client.getConversation(id)!.deleteMetadataProperties(['theme']), lunch)
      await ben.until((sdk, id) => !('theme' in sdk.client.getConversation(id)!.metadata), lunch)
      await ada.run((sdk, given) => sdk.client.getConversation(given.lunch)!.addParticipants([given.odd, 'c.leo']), {
        lunch,
        odd,
      })
      const people = (sdk: Parameters<Parameters<SdkHost['run']>[0]>[0], id: string) =>
        sdk.client.getConversation(id)!.participants.length === 4
      await ben.until(people, lunch)
      const ids = await ben.run(
        (sdk, id) =>
          sdk.client
            .getConversation(id)!
            .participants.map((one) => one.id)
            .sort(),
        lunch,
      )
      expect(ids).toEqual(['ada', 'ben', 'c.leo', encoded].map(identityUri).sort())
      await ben.until((sdk, id) => sdk.client.getConversation(id)!.distinct === false, lunch)
      await ada.run((sdk, given) => sdk.client.getConversation(given.lunch)!.removeParticipants([given.odd]), {
        lunch,
        odd,
      })
      await ben.until((sdk, id) => sdk.client.getConversation(id)!.participants.length === 3, lunch)
      const patches = (await ada.wire()).filter(({ what }) => what.startsWith('PATCH'))
      expect(patches.map(({ status }) => status)).toEqual([204, 204, 204, 204])
    })

    it('LAY-STEP-12 all messages are marked read by one request, and everybody hears of it', async () => {
      const first = await send(ada, lunch, 'one')
      const second = await send(ada, lunch, 'two')
      await received(ben, lunch, 'two')
      await ben.run((sdk, id) => sdk.client.getConversation(id)!.markAllMessagesAsRead(), lunch)
      const marked = await ben.until((sdk) =>
        sdk.wire.find(({ what, status }) => what.endsWith('/mark_all_read') && status),
      )
      expect(marked).toMatchObject({ status: 202, body: { position: expect.any(Number) } })
      await ben.until((sdk, ids) => ids.every((id) => sdk.client.getMessage(id)!.isRead), [first, second])
      await ben.until((sdk, id) => sdk.client.getConversation(id)!.unreadCount === 0, lunch)
      for (const id of [first, second]) {
        await ada.until((sdk, given) => sdk.client.getMessage(given.id)?.recipientStatus[given.ben] === 'read', {
          id,
          ben: identityUri('ben'),
        })
      }
    })

    it('LAY-STEP-13 typing is seen by the others, also by our own client, and ends', async () => {
      const { cleo } = stage
      await ada.run((sdk, id) => {
        const publisher = sdk.client.createTypingPublisher()
        publisher.conversation = sdk.client.getConversation(id)!
        publisher.setState('started')
      }, party)
      await ben.until((sdk, id) => sdk.client.getTypingState(id).typing.some(({ userId }) => userId === 'ada'), party)
      expect(await cleo.hear('typing')).toMatchObject({
        conversation: party,
        action: 'started',
        sender: { user_id: 'ada' },
      })
      expect(await cleo.hear('typing')).toMatchObject({ action: 'paused' })
      expect(await cleo.hear('typing')).toMatchObject({ action: 'finished' })
      await ben.until((sdk, id) => sdk.client.getTypingState(id).typing.length === 0, party)
      cleo.say({ type: 'typing', conversation: party as never, action: 'started' })
      await ada.until((sdk, id) => sdk.client.getTypingState(id).typing.some(({ userId }) => userId === 'c.leo'), party)
      cleo.say({ type: 'typing', conversation: party as never, action: 'finished' })
      await ada.until((sdk, id) => sdk.client.getTypingState(id).typing.length === 0, party)
    })

    it('LAY-STEP-13 a status one sets is seen by those one knows', async () => {
      for (const status of ['busy', 'available']) {
        await ada.run((sdk, one) => sdk.client.user.setStatus(one), status)
        await ben.until((sdk, given) => sdk.client.getIdentity(given.id)?.status === given.status, {
          id: identityUri('ada'),
          status,
        })
      }
    })

    it('LAY-38 what is deleted goes where it should, and a conversation deleted from one’s devices returns', async () => {
      const message = await send(ada, lunch, 'forget it')
      await received(ben, lunch, 'forget it')
      await ada.run((sdk, id) => sdk.client.getMessage(id)!.delete('all_participants'), message)
      await ben.until((sdk, id) => !sdk.client.getMessage(id), message)
      await received(ben, lunch, 'two')
      await ben.run((sdk, id) => sdk.client.getConversation(id)!.delete('my_devices'), lunch)
      await ben.until((sdk) =>
        sdk.wire.some(({ what, status }) => what.includes('mode=my_devices&leave=false') && status === 204),
      )
      await send(ada, lunch, 'back again')
      await received(ben, lunch, 'back again')
      await ben.until((sdk) => sdk.notified.includes('back again'))
      await ben.until((sdk, id) => sdk.queries.conversations!.data.some((one) => one.id === id), lunch)
    })

    it('LAY-38 what comes and goes in one turn with something else that goes is in no list afterwards', async () => {
      const { cleo } = stage
      const conversation = party.split('/').at(-1)!
      const say = (name: 'send-message' | 'delete-message', input: object, id: string = randomUUID()) =>
        cleo.say({ type: 'operation', id, name, input: { conversation, ...input } } as never)
      const forAll = (message: string) => ({ message, mode: 'all_participants' })
      const [before, brief, after] = [randomUUID(), randomUUID(), randomUUID()]
      await cleo.create('send-message', { conversation, parts: text('before') }, before)
      const hosts = [ada, ben]
      for (const host of hosts) await received(host, party, 'before')
      say('delete-message', forAll(before))
      say('send-message', { id: brief, parts: text('brief') }, brief)
      say('delete-message', forAll(brief))
      say('send-message', { id: after, parts: text('after') }, after)
      for (const host of hosts) {
        await received(host, party, 'after')
        const isThere = (id: string) =>
          host.run((sdk, one) => sdk.queries.messages!.data.some((message) => message.id.endsWith(one)), id)
        await host.until((sdk, id) => !sdk.client.getMessage(id), brief)
        await host.until((sdk, id) => sdk.queries.messages!.data.some((message) => message.id.endsWith(id)), after)
        expect(await Promise.all([before, brief, after].map(isThere))).toEqual([false, false, true])
      }
    })

    it('LAY-STEP-14 idle, it reads the counter, and has missed nothing', async () => {
      const from = await wireLength(ada)
      await ada.run((sdk) => {
        sdk.client.socketManager.pingFrequency = 300
      })
      await send(ada, lunch, 'then silence')
      const answer = await ada.heard('down', 'response Counter.read', from)
      const { counter, body } = answer.body as { counter: number; body: { data: { counter: number } } }
      expect(body.data.counter).toBe(counter - 1)
      await ada.run((sdk) => {
        sdk.client.socketManager.pingFrequency = 30_000
      })
    })

    it('LAY-STEP-15 a lost socket is opened again, and what was missed is replayed', async () => {
      const { cleo, wire } = stage
      const conversation = party.split('/').at(-1)!
      const from = { ada: await wireLength(ada), ben: await wireLength(ben) }
      expect(wire.cut()).toBeGreaterThan(0)
      await cleo.create('send-message', { conversation, parts: text('While you were away') })
      await cleo.ask('update-conversation', {
        conversation,
        patch: [{ operation: 'set', property: 'metadata.seen', value: 'yes' }],
      })
      for (const [host, start] of [
        [ada, from.ada],
        [ben, from.ben],
      ] as const) {
        await host.heard('http', 'GET /?action=validateConnectionForWebsocket', start)
        await host.heard('up', 'socket', start)
        await host.heard('down', 'response Event.replay', start)
        await received(host, party, 'While you were away')
        await host.until((sdk, id) => sdk.client.getConversation(id)!.metadata.seen === 'yes', party)
        const sync = await host.heard('up', 'request Presence.sync', start)
        expect(sync.body).toMatchObject({ body: { data: { since: expect.any(String) } } })
        await host.heard('down', 'response Presence.sync', start)
        const up = (await host.wire(start))
          .filter(({ way, what }) => way === 'up' && what !== 'socket')
          .map(({ what }) => what)
        expect(up.slice(0, 4)).toEqual(
          ['Event.replay', 'Presence.subscribe', 'Presence.update', 'Presence.sync'].map((name) => `request ${name}`),
        )
      }
      await ada.until((sdk) => sdk.notified.filter((body) => body === 'While you were away').length === 1)
      await send(ada, party, 'And back')
      await received(ben, party, 'And back')
      await ada.until((sdk, id) => sdk.client.getIdentity(id)?.status === 'available', identityUri('ben'))
    })

    it('LAY-STEP-16 when its session ends it is challenged with the nonce at hand, and goes on where it was', async () => {
      const before = await ada.run((sdk) => sdk.client.sessionToken)
      const from = await wireLength(ada)
      const ended = await stage.home.request('DELETE', `/sessions/${before}`, { token: before })
      expect(ended.status).toBe(204)
      await ada.run((sdk, id) => sdk.client.getConversation(id)!.setMetadataProperties({ title: 'Supper' }), lunch)
      await ada.until(
        (sdk, old) => sdk.client.isAuthenticated && sdk.client.sessionToken !== old && sdk.client.isReady,
        before,
      )
      const after = await ada.wire(from)
      expect(after.some(({ status }) => status === 401)).toBe(true)
      expect(after.filter(({ what }) => what === 'POST /nonces')).toEqual([])
      expect(after.find(({ what }) => what === 'POST /sessions')).toMatchObject({ status: 201 })
      await ben.until((sdk, id) => sdk.client.getConversation(id)!.metadata.title === 'Supper', lunch)
      await ada.heard('up', 'socket', from)
      await send(ada, lunch, 'Here again')
      await received(ben, lunch, 'Here again')
      await send(ben, lunch, 'Good')
      await received(ada, lunch, 'Good')
    })

    it('LAY-STEP-17 logging out ends the session and the socket, and leaves nothing', async () => {
      const token = await ada.run((sdk) => sdk.client.sessionToken)
      await ada.run((sdk) => new Promise<void>((resolve) => sdk.client.logout(() => resolve())))
      const left = await ada.until((sdk) =>
        sdk.wire.find(({ what, status }) => what.startsWith('DELETE /sessions/') && status),
      )
      expect(left.status).toBe(204)
      const state = await ada.run(({ client }) => [client.isAuthenticated, client.sessionToken])
      expect(state).toEqual([false, ''])
      expect((await stage.home.request('GET', '/conversations', { token })).status).toBe(401)
      await ben.until((sdk, id) => sdk.client.getIdentity(id)?.status === 'offline', identityUri('ada'))
    })
  })
}
