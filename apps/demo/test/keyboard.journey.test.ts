import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Device } from './support/browser.ts'
import { inChapters } from './support/chapters.ts'
import { Chat } from './support/chat.ts'
import { type Development, startDevelopment } from './support/development.ts'

const schemes = ['light', 'dark'] as const

describe.each(schemes)('the chat by keyboard alone, %s', (colorScheme) => {
  inChapters()

  const device = new Device({ name: `keyboard-${colorScheme}`, colorScheme })
  let development: Development
  const keyboard = () => device.page.keyboard
  const focused = async () => await device.page.evaluate(() => describeFocus())

  beforeAll(async () => {
    development = await startDevelopment()
    await device.open('about:blank')
    await device.page.addInitScript({ content: `globalThis.describeFocus = ${describeFocus}` })
    await device.page.goto(development.demoUrl)
  })

  afterAll(async () => {
    await device.discard()
    await development?.close()
  })

  /** Presses Tab until the focus is there; gives up after a whole round. */
  const tabTo = async (name: string) => {
    for (let presses = 0; presses < 40; presses += 1) {
      if ((await focused()).includes(name)) return
      await keyboard().press('Tab')
    }
    expect(await focused()).toContain(name)
  }

  it('signs in', async () => {
    await device.page.getByRole('button', { name: 'Sign in' }).waitFor()
    await device.picture(`keyboard-${colorScheme}-sign-in`)
    await tabTo('User')
    await keyboard().type('cleo')
    await keyboard().press('Tab')
    await keyboard().type('parley')
    await keyboard().press('Enter')
    await new Chat(device.page).seesConnection('Online')
  })

  it('starts a conversation, and focus is where one writes', async () => {
    await tabTo('New conversation')
    await keyboard().press('Enter')
    await device.page.getByRole('dialog').waitFor()
    expect(await focused()).toContain('With whom?')
    await keyboard().type('dana')
    await keyboard().press('Enter')
    await new Chat(device.page).composer().waitFor()
    await expect.poll(focused).toContain('Message')
  })

  it('sends with Enter and breaks lines with Shift+Enter', async () => {
    await keyboard().type('First line')
    await keyboard().press('Shift+Enter')
    await keyboard().type('second line')
    await keyboard().press('Enter')
    await new Chat(device.page).seesMessages(['First line\nsecond line'])
    await expect.poll(focused).toContain('Message')
  })

  it('walks through messages with the arrows and opens their menu', async () => {
    await new Chat(device.page).seesTicks('First line', 'sent')
    await keyboard().press('Shift+Tab')
    await keyboard().press('ArrowUp')
    await keyboard().press('Enter')
    await expect.poll(focused).toContain('Copy text')
    await keyboard().press('ArrowDown')
    await expect.poll(focused).toContain('Delete')
    await keyboard().press('Escape')
    await device.page.getByRole('menu').waitFor({ state: 'detached' })
  })

  it('returns to a conversation from the list', async () => {
    await tabTo('Dana')
    await keyboard().press('Enter')
    await expect.poll(focused).toContain('Message')
    await keyboard().type('And once more')
    await keyboard().press('Enter')
    await new Chat(device.page).seesMessages(['First line\nsecond line', 'And once more'])
    await device.picture(`keyboard-${colorScheme}-chat`)
  })

  it('gives every control a name', async () => {
    const nameless = await device.page.locator('button, input, textarea, a').evaluateAll((controls) =>
      controls
        .filter((control) => {
          const labels = 'labels' in control ? [...((control.labels as NodeList | null) ?? [])] : []
          return !(control.getAttribute('aria-label') || control.textContent || labels.length > 0)
        })
        .map((control) => control.outerHTML),
    )
    expect(nameless).toEqual([])
  })

  it('shows no error and breaks no rule of the page', () => {
    expect(device.complaints).toEqual([])
  })
})

/** Runs in the page: what has the focus, in words. */
function describeFocus(): string {
  const element = document.activeElement
  if (!element || element === document.body) return ''
  const labels = 'labels' in element ? [...((element.labels as NodeList | null) ?? [])] : []
  return [element.getAttribute('aria-label'), ...labels.map((label) => label.textContent), element.textContent].join(
    ' ',
  )
}
