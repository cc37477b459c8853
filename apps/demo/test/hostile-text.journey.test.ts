import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Device } from './support/browser.ts'
import { inChapters } from './support/chapters.ts'
import { Chat } from './support/chat.ts'
import { type Development, startDevelopment } from './support/development.ts'

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

describe('text that would like to be more than text', () => {
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

  it('opens no dialog, creates no element and breaks no rule of the page', async () => {
    for (const device of devices) {
      expect(await device.page.locator('.thread iframe, .thread script, .thread img, .thread b').count()).toBe(0)
      expect(device.dialogs).toEqual([])
      expect(device.complaints).toEqual([])
    }
  })
})

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
