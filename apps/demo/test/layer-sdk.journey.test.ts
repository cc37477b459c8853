/**
 * Somebody whose app was written for Layer, with Layer's Web SDK as published, and somebody in our demo, in the same
 * conversation.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSdkPages, type SdkPages } from '../../../packages/server/test/layer/support/page-sdk.ts'
import type { SdkHost } from '../../../packages/server/test/layer/support/sdk-host.ts'
import { Device } from './support/browser.ts'
import { inChapters } from './support/chapters.ts'
import { Chat } from './support/chat.ts'
import { type Development, startDevelopment } from './support/development.ts'

describe('alice in the demo and ben with layer-websdk 3.4.18', () => {
  inChapters()

  const device = new Device({ name: 'beside-layer' })
  let alice: Chat
  let development: Development
  let pages: SdkPages
  let ben: SdkHost
  let conversation: string

  beforeAll(async () => {
    development = await startDevelopment()
    await device.open(development.demoUrl)
    alice = new Chat(device.page)
    pages = await openSdkPages()
    ben = await pages.open({ ...development.server, identityToken: (nonce) => identityToken('ben', nonce) })
  })

  afterAll(async () => {
    await ben?.close()
    await pages?.close()
    await device.discard()
    await development?.close()
  })

  async function identityToken(user: string, nonce: string): Promise<string> {
    const answer = await fetch(`${development.authServiceUrl}/identity-token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user, password: 'parley', nonce }),
    })
    return ((await answer.json()) as { identity_token: string }).identity_token
  }

  /** Waits until ben's SDK has a message with this text; answers its id. */
  const arrives = (body: string) =>
    ben.until(
      (sdk, given) => {
        const last = sdk.client.getConversation(given.conversation)?.lastMessage
        return last?.parts[0]?.body === given.body ? last.id : undefined
      },
      { conversation, body },
    )

  it('both sign in with tokens of the same authentication service', async () => {
    await alice.signIn('alice')
    await ben.run((sdk) => sdk.client.connect('ben'))
    await ben.until((sdk) => sdk.client.isReady)
    await ben.run((sdk) => {
      sdk.queries.all = sdk.client.createQuery({ model: sdk.layer.Query.Conversation, paginationWindow: 20 })
    })
  })

  it('what alice writes in the demo appears in the SDK, which says that it was delivered', async () => {
    await alice.start('ben')
    await alice.send('Hello from the demo')
    conversation = await ben.until((sdk) => sdk.queries.all!.data[0]?.id)
    await arrives('Hello from the demo')
    await alice.seesTicks('Hello from the demo', 'delivered')
    expect(await ben.run((sdk, id) => sdk.client.getConversation(id)!.unreadCount, conversation)).toBe(1)
  })

  it('ben reads it, and alice sees that he did', async () => {
    const message = await arrives('Hello from the demo')
    await ben.run((sdk, id) => {
      sdk.client.getMessage(id)!.isRead = true
    }, message)
    await alice.seesTicks('Hello from the demo', 'read')
    await ben.until((sdk, id) => sdk.client.getConversation(id)!.unreadCount === 0, conversation)
  })

  it('alice sees ben typing in the SDK', async () => {
    await ben.run((sdk, id) => {
      const publisher = sdk.client.createTypingPublisher()
      publisher.conversation = sdk.client.getConversation(id)!
      publisher.setState('started')
    }, conversation)
    await alice.page.getByText('typing').first().waitFor()
  })

  it('what ben writes in the SDK appears in the demo, and alice having read it reaches the SDK', async () => {
    await ben.run(
      (sdk, id) => void sdk.client.getConversation(id)!.createMessage('Hello from Layer').send(),
      conversation,
    )
    await alice.seesMessages(['Hello from the demo', 'Hello from Layer'])
    const message = await arrives('Hello from Layer')
    await ben.until((sdk, id) => sdk.client.getMessage(id)!.readStatus === 'ALL', message)
    await device.picture('beside-layer')
  })

  it('ben’s SDK sees alice typing in the demo', async () => {
    await alice.composer().pressSequentially('Still he', { delay: 50 })
    await ben.until(
      (sdk, id) => sdk.client.getTypingState(id).typing.some(({ userId }) => userId === 'alice'),
      conversation,
    )
    await alice.send('Still here')
    await arrives('Still here')
    await ben.until((sdk, id) => sdk.client.getTypingState(id).typing.length === 0, conversation)
  })

  it('a burst from both sides ends the same on both, in one order', async () => {
    const sends = ben.run((sdk, id) => {
      for (let i = 0; i < 10; i++) sdk.client.getConversation(id)!.createMessage(`ben ${i}`).send()
    }, conversation)
    await alice.send(...Array.from({ length: 5 }, (_, i) => `alice ${i}`))
    await sends
    const shown = async () => (await alice.messages()).map(({ text }) => text)
    await expect.poll(async () => (await shown()).length, { timeout: 20_000 }).toBe(18)
    // Asked for once all is quiet: the SDK's own queries count what is on its way in ways of their own.
    await ben.run((sdk, id) => {
      sdk.queries.messages = sdk.client.createQuery({
        model: sdk.layer.Query.Message,
        predicate: `conversation.id = '${id}'`,
        paginationWindow: 50,
      })
    }, conversation)
    await ben.until((sdk) => sdk.queries.messages!.data.length === 18)
    const inSdk = await ben.run((sdk) =>
      [...sdk.queries.messages!.data]
        .map(({ id }) => sdk.client.getMessage(id)!)
        .sort((a, b) => a.position - b.position)
        .map(({ parts }) => parts[0]!.body),
    )
    expect(await shown()).toEqual(inSdk)
  })

  it('nobody complained', () => {
    expect(pages.complaints).toEqual([])
    expect(device.complaints).toEqual([])
  })
})
