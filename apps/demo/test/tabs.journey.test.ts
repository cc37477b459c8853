import type { ConversationId } from '@parley/client'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SdkTabs } from './support/sdk-tabs.ts'

const tabs = new SdkTabs()

beforeAll(() => tabs.open())
afterAll(() => tabs.close())

async function signedIn(count: number, options = {}): Promise<ConversationId> {
  await tabs.begin(count, options)
  return await tabs.pages[1]!.evaluate(async () => {
    await client.authenticate('alice')
    const created = await client.createConversation({ participants: ['ben'], distinct: false })
    const { conversation } = (await created.acknowledged) as { conversation: ConversationId }
    return conversation
  })
}

/** Sends so many from a tab, and waits until all are acknowledged; answers their positions in the order they were sent. */
const send = (page: Page, conversation: string, label: string, count: number) =>
  page.evaluate(
    async ({ conversation, label, count }) => {
      const handle = client.conversation(conversation)
      const sent = await Promise.all(Array.from({ length: count }, (_, n) => handle.sendText(`${label} ${n}`)))
      const answers = await Promise.all(sent.map(({ acknowledged }) => acknowledged))
      return answers.map((answer) => (answer as { position: number }).position)
    },
    { conversation, label, count },
  )

/** The whole conversation as a tab shows it. */
const texts = (page: Page, conversation: string) =>
  page.evaluate(async (id) => {
    const query = client.messages({ conversation: id, window: 10_000 })
    await query.ready
    const found = query.snapshot().map(({ parts }) => parts[0]?.body ?? '')
    query.close()
    return found
  }, conversation)

/**
 * Nothing of the page runs until it wakes. Chromium without a screen shows every page, and does not freeze what is seen, so
 * the debugger stops it; `isTold` says whether the page hears of it first, as of a real freezing.
 */
async function freeze(page: Page, { isTold }: { readonly isTold: boolean }): Promise<() => Promise<void>> {
  const cdp = await tabs.cdp(page)
  await cdp.send('Debugger.enable')
  const paused = new Promise<void>((resolve) => cdp.once('Debugger.paused', () => resolve()))
  void page.evaluate((tell) => {
    if (tell) document.dispatchEvent(new Event('freeze'))
    setTimeout(() => {
      // biome-ignore lint/suspicious/noDebugger: this is what stops it.
      debugger
    })
  }, isTold)
  await paused
  return async () => {
    await cdp.send('Debugger.disable')
    if (isTold) await page.evaluate(() => document.dispatchEvent(new Event('resume')))
  }
}

const isInOrder = (positions: readonly number[]) =>
  positions.every((position, i) => i === 0 || position > positions[i - 1]!)

describe('five tabs of one browser', () => {
  it('58 the tab that owns is closed, crashes, or freezes while all send: another owns, nothing is lost or doubled', async () => {
    const conversation = await signedIn(5)
    const sendings: Promise<number[]>[] = []
    const expected: string[] = []
    const figures: Record<string, number> = {}

    const goes = async (how: string, within: number, go: (page: Page) => Promise<unknown>) => {
      const owner = await tabs.owner()
      const others = tabs.living().filter((page) => page !== owner)
      for (const page of others) {
        const label = `${how} ${tabs.pages.indexOf(page)}`
        sendings.push(send(page, conversation, label, 20))
        for (let n = 0; n < 20; n++) expected.push(`${label} ${n}`)
      }
      const greetings = tabs.welcomedAt.length
      const startedAt = performance.now()
      tabs.isGone(owner)
      await go(owner)
      await expect.poll(() => tabs.welcomedAt.length, { timeout: 35_000, interval: 10 }).toBe(greetings + 1)
      figures[how] = Math.round(tabs.welcomedAt.at(-1)! - startedAt)
      expect(figures[how]).toBeLessThan(within)
      // A tab that is to go next has nothing of its own under way.
      await Promise.all(sendings)
    }

    await goes('closed', 1_500, (page) => page.close())
    await goes('crashed', 1_500, async (page) => {
      const cdp = await tabs.cdp(page)
      void cdp.send('Page.crash').catch(() => {})
    })
    await goes('frozen', 1_500, (page) => freeze(page, { isTold: true }))
    await Promise.all(sendings)
    expect(tabs.mostSockets).toBe(1)
    for (const positions of await Promise.all(sendings)) expect(isInOrder(positions)).toBe(true)
    for (const page of tabs.living()) {
      expect((await texts(page, conversation)).toSorted()).toEqual(expected.toSorted())
    }
  })

  it('58 a tab that owns and hangs without a word is replaced within 30 s, and writes nothing when it wakes', async () => {
    const conversation = await signedIn(3)
    const owner = await tabs.owner()
    const late = send(owner, conversation, 'late', 5)
    const wake = await freeze(owner, { isTold: false })
    tabs.isGone(owner)
    const startedAt = performance.now()
    const [second] = tabs.living()
    await send(second!, conversation, 'waiting', 5)
    const elapsedMs = performance.now() - startedAt
    expect(elapsedMs).toBeLessThan(30_000)
    await wake()
    expect(isInOrder(await late)).toBe(true)
    const all = [...Array(5).keys()].flatMap((n) => [`late ${n}`, `waiting ${n}`])
    for (const page of tabs.pages) expect((await texts(page, conversation)).toSorted()).toEqual(all.toSorted())
    await expect.poll(() => tabs.sockets).toBe(1)
    expect(await tabs.owner()).not.toBe(owner)
  })

  it('60 five tabs each send 200 at once: 1,000 positions, in the order of each tab, over one connection', async () => {
    const conversation = await signedIn(5)
    const positions = await Promise.all(tabs.pages.map((page, n) => send(page, conversation, `${n}`, 200)))
    for (const each of positions) expect(isInOrder(each)).toBe(true)
    expect(positions.flat().toSorted((a, b) => a - b)).toEqual([...Array(1_000).keys()].map((n) => n + 1))
    const shown = await texts(tabs.pages[0]!, conversation)
    expect(shown).toHaveLength(1_000)
    for (const page of tabs.pages) expect(await texts(page, conversation)).toEqual(shown)
    expect(tabs.mostSockets).toBe(1)
    expect(tabs.welcomedAt).toHaveLength(1)
  })

  it('70 one tab signs out while another sends: the others are told within 1 s, and no local row survives', async () => {
    const conversation = await signedIn(5)
    await send(tabs.pages[0]!, conversation, 'before', 50)
    const [first, second, third, ...others] = tabs.pages as [Page, Page, Page, ...Page[]]
    const toldAt = Promise.all(
      [first, third, ...others].map((page) =>
        page.evaluate(() => new Promise<number>((told) => client.on('deauthenticated', () => told(Date.now())))),
      ),
    )
    const sending = third.evaluate(async (id) => {
      const codes = new Set<string>()
      for (let n = 0; n < 2_000 && client.state.state !== 'unauthenticated'; n++) {
        const sent = client.conversation(id).sendText(`${n}`)
        await sent.catch((error: { code: string }) => codes.add(error.code))
      }
      return [...codes]
    }, conversation)
    const signedOutAt = await second.evaluate(async () => {
      await client.deauthenticate({ discardUnsent: true })
      return Date.now()
    })
    for (const at of await toldAt) expect(at - signedOutAt).toBeLessThan(1_000)
    const allowed = new Set(['deauthenticating', 'not_authenticated', 'discarded'])
    expect((await sending).filter((code) => !allowed.has(code))).toEqual([])
    // Whatever was under way has had its time.
    await second.waitForTimeout(500)
    for (const page of tabs.pages) {
      expect(await page.evaluate(() => client.state.state)).toBe('unauthenticated')
    }
    expect((await rows(second)).filter((row) => !/^(meta: term|past-terms: \d+)$/.test(row))).toEqual([])
  })

  it('83 a session expires with five tabs open: one challenge is answered, by one tab', async () => {
    await signedIn(5, { tokenSeconds: 8 })
    expect(tabs.asked).toEqual([tabs.pages[1]])
    const owner = await tabs.owner()
    const renewed = await Promise.all(
      tabs.pages.map((page) =>
        page.evaluate(() => new Promise<boolean>((done) => client.on('renewed', () => done(true)))),
      ),
    )
    expect(renewed).toEqual(Array(5).fill(true))
    expect(tabs.asked).toEqual([tabs.pages[1], owner])
    for (const page of tabs.pages) expect(await page.evaluate(() => client.state.state)).toBe('authenticated')
    expect(tabs.mostSockets).toBe(1)
    expect(tabs.welcomedAt).toHaveLength(1)
  })
})

/** Every row of every database of this origin, by table and name. */
async function rows(page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    const found: string[] = []
    for (const { name } of await indexedDB.databases()) {
      const database = await settled(indexedDB.open(name!))
      for (const store of database.objectStoreNames) {
        const keys = await settled(database.transaction(store).objectStore(store).getAllKeys())
        found.push(...keys.map((key) => `${store}: ${key}`))
      }
      database.close()
    }
    return found
  })
}

it('AUTH-36 a page that cannot fetch what needs the network shows what is stored, and goes on by itself', async () => {
  const conversation = await signedIn(2)
  const [other, page] = tabs.pages as [Page, Page]
  await send(page, conversation, 'before', 1)
  tabs.isGone(other)
  await other.close()
  tabs.servesOnline = false
  const refused = page.waitForResponse((response) => response.url().includes('/online') && response.status() === 503)
  await page.reload()
  await refused
  await page.evaluate(() => client.opened)
  expect(await texts(page, conversation)).toEqual(['before 0'])
  await page.evaluate((id) => client.conversation(id).sendText('meanwhile'), conversation)
  expect(await page.evaluate(() => client.connection.state)).not.toBe('live')
  expect(tabs.sockets).toBe(0)
  tabs.servesOnline = true
  await expect.poll(() => page.evaluate(() => client.connection.state)).toBe('live')
  await expect.poll(() => page.evaluate(async () => (await client.outbox.list()).length)).toBe(0)
  expect(await texts(page, conversation)).toEqual(['before 0', 'meanwhile'])
})
