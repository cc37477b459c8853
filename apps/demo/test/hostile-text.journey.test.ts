import { markupPayloads } from '@parley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Device } from './support/browser.ts'
import { inChapters } from './support/chapters.ts'
import { Chat } from './support/chat.ts'
import { type Development, startDevelopment } from './support/development.ts'
import { Sender } from './support/sender.ts'

const payloads = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(2)>',
  '"><svg/onload=alert(3)>',
  "javascript:alert(4)//https://example.org/'onclick='alert(5)",
  '</textarea><iframe srcdoc="<script>parent.alert(6)</script>">',
  '<a href="javascript:alert(7)">press me</a>',
  '{{constructor.constructor("alert(8)")()}}',
  '\u202egnp.exe\u202c and \u0007 bells',
]
const title = '<img src=x onerror=alert(9)>'
/** Sign-up lets people choose any name; this one would like to be markup. */
const mallory = { user: 'mallory', name: '<b onmouseover=alert(10)>Mal</b>', password: 'a long enough password' }

describe('132 text that would like to be more than text', () => {
  inChapters()

  const sender = new Device({ name: 'hostile-sender' })
  const reader = new Device({ name: 'hostile-reader' })
  const devices = [sender, reader]
  let development: Development

  beforeAll(async () => {
    development = await startDevelopment()
    await signUp(development.authServiceUrl)
    for (const device of devices) await device.open(development.demoUrl)
    await new Chat(reader.page).signIn('ben')
    await new Chat(sender.page).signIn(mallory.user, mallory.password)
  })

  afterAll(async () => {
    for (const device of devices) await device.discard()
    await development?.close()
  })

  it('is shown as text in messages and titles, on both sides', async () => {
    await new Chat(sender.page).start('ben, cleo', title)
    await new Chat(sender.page).send(...payloads)
    await new Chat(reader.page).openConversation(title)
    for (const device of devices) await new Chat(device.page).seesMessages(payloads)
    await reader.picture('hostile-text')
  })

  it('is shown as text in the names of people', async () => {
    await reader.page.getByRole('heading', { name: mallory.name, level: 3 }).first().waitFor()
    expect((await new Chat(reader.page).messages())[0]?.from).toBe(mallory.name)
  })

  it('turns only web addresses into links, and gives them no way back', async () => {
    const links = reader.page.locator('.bubble a')
    const all = await links.evaluateAll((found) =>
      found.map((link) => [link.getAttribute('href'), link.getAttribute('rel'), link.getAttribute('target')]),
    )
    expect(all).toEqual([['https://example.org/', 'noopener noreferrer', '_blank']])
  })

  /** Payloads of one conversation: few enough for all to be on one screen. */
  const PER_CONVERSATION = 40

  it(`${markupPayloads.length} payloads in texts, titles and names are shown as they are`, async () => {
    const { page } = reader
    const mallory = await Sender.signIn(development, 'mallory', 'a long enough password')
    const before = await page.evaluate(() => location.href)
    const navigations: string[] = []
    page.on('framenavigated', (frame) => {
      // To open a conversation is a place of the page's own.
      if (!frame.url().startsWith(`${before.split('#')[0]}#/c/layer`)) navigations.push(frame.url())
    })
    reader.context.on('page', (opened) => navigations.push(`a new page: ${opened.url()}`))
    for (let start = 0; start < markupPayloads.length; start += PER_CONVERSATION) {
      const texts = markupPayloads.slice(start, start + PER_CONVERSATION)
      const nth = start / PER_CONVERSATION
      const conversation = await mallory.start(['ben'], {
        title: `${nth} ${texts[3]}`,
        topic: texts[5]!,
        'on-click': texts[7]!,
      })
      await mallory.send(conversation, texts)
      const entry = page.locator('.conversation-name', { hasText: new RegExp(`^${nth} `) })
      await entry.click()
      // The screen joins runs of spaces and keeps all else.
      const shown = async () => (await new Chat(page).messages()).map(({ text }) => plain(text))
      await expect.poll(shown, { timeout: 20_000, interval: 200 }).toEqual(texts.map(plain))
      expect(
        plain((await page.locator('.conversation-name', { hasText: new RegExp(`^${nth} `) }).textContent()) ?? ''),
      ).toBe(plain(`${nth} ${texts[3]}`))
      // Whatever could be pressed or pointed at, is; links open elsewhere, so that they are only looked at.
      await page.locator('.bubble *').evaluateAll((found) => {
        for (const element of found) {
          for (const type of ['mouseover', 'focus', 'animationstart']) element.dispatchEvent(new Event(type))
        }
      })
      const hrefs = await page
        .locator('.bubble a')
        .evaluateAll((links) =>
          links.map((link) => [(link as HTMLAnchorElement).protocol, link.getAttribute('rel')].join(' ')),
        )
      expect(hrefs.filter((href) => !/^https?: noopener noreferrer$/.test(href))).toEqual([])
    }
    expect(navigations).toEqual([])
    expect(before.split('#')[0]).toBe(await page.evaluate(() => location.href.split('#')[0]))
  })

  it('the page is served under the rules that would have stopped them', async () => {
    const { headers } = await fetch(development.demoUrl)
    const rules = new Map(
      (headers.get('content-security-policy') ?? '').split('; ').map((rule): [string, string] => {
        const [name = '', ...values] = rule.split(' ')
        return [name, values.join(' ')]
      }),
    )
    expect(Object.fromEntries(rules)).toMatchObject({
      'default-src': "'self'",
      'script-src': "'self'",
      'object-src': "'none'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
      'require-trusted-types-for': "'script'",
    })
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('opens no dialog, creates no element and breaks no rule of the page, after all of it', async () => {
    for (const device of devices) {
      expect(await device.page.locator('.thread iframe, .thread script, .thread img, .thread b').count()).toBe(0)
      expect(device.dialogs).toEqual([])
      expect(device.complaints).toEqual([])
    }
  })
})

/** As it is seen: what is white space, or no character to be seen, is none or one space. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const plain = (text: string): string => text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()

async function signUp(authServiceUrl: string): Promise<void> {
  const fields = { user: mallory.user, display_name: mallory.name, password: mallory.password }
  const response = await fetch(`${authServiceUrl}/sign-up`, {
    method: 'POST',
    headers: { 'x-requested-with': 'journey' },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  })
  expect(response.status).toBe(303)
}
