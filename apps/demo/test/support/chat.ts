import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

const PATIENCE_MS = 20_000
const eventually = { timeout: PATIENCE_MS, interval: 100 }

export interface ShownMessage {
  readonly from: string
  readonly text: string
}

/** The demo as a person sees it: by roles and labels, waiting for what is visible. */
export class Chat {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
    page.setDefaultTimeout(PATIENCE_MS)
  }

  async signIn(user: string, password = 'parley'): Promise<void> {
    await this.page.getByLabel('User').fill(user)
    await this.page.getByLabel('Password').fill(password)
    await this.page.getByRole('button', { name: 'Sign in' }).click()
    await this.seesConnection('Online')
  }

  async asksToSignOut(): Promise<void> {
    await this.page.getByRole('button', { name: 'Your account' }).click()
    await this.page.getByRole('menuitem', { name: 'Sign out' }).click()
  }

  async signOut(): Promise<void> {
    await this.asksToSignOut()
    await this.page.getByRole('button', { name: 'Sign in' }).waitFor()
  }

  async start(people: string, title = ''): Promise<void> {
    await this.page.getByRole('button', { name: 'New conversation' }).first().click()
    const dialog = this.page.getByRole('dialog', { name: 'New conversation' })
    await dialog.getByLabel('With whom?').fill(people)
    if (title) await dialog.getByLabel('Title').fill(title)
    await dialog.getByRole('button', { name: 'Start' }).click()
    await this.composer().waitFor()
  }

  /** The entry of a conversation in the list. */
  entry(name: string): Locator {
    return this.page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('button')
      .filter({ has: this.page.locator('.conversation-name', { hasText: name }) })
  }

  async openConversation(name: string): Promise<void> {
    await this.entry(name).click()
    await this.page.getByRole('heading', { name, level: 2 }).waitFor()
  }

  composer(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' })
  }

  async send(...texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      await this.composer().fill(text)
      await this.composer().press('Enter')
      await this.bubble(text).waitFor()
    }
  }

  bubble(text: string): Locator {
    return this.page.getByRole('region', { name: 'Messages' }).locator('[data-message]', { hasText: text })
  }

  async seesTicks(text: string, delivery: 'pending' | 'sent' | 'delivered' | 'read' | 'failed'): Promise<void> {
    await this.bubble(text).locator(`.ticks[data-delivery="${delivery}"]`).waitFor()
  }

  async seesConnection(state: 'Online' | 'Offline'): Promise<void> {
    await this.page.getByRole('status').filter({ hasText: state }).first().waitFor()
  }

  async seesUnread(name: string, count: number): Promise<void> {
    const badge = this.entry(name).locator('.badge')
    await expect
      .poll(async () => Number.parseInt((await badge.allTextContents())[0] ?? '0', 10), eventually)
      .toBe(count)
  }

  async switchNetwork(to: 'online' | 'offline'): Promise<void> {
    const network = this.page.getByRole('switch', { name: 'Connected to the network' })
    const isOn = (await network.getAttribute('aria-checked')) === 'true'
    if (isOn !== (to === 'online')) await network.click()
    await this.seesConnection(to === 'online' ? 'Online' : 'Offline')
  }

  /** The open conversation from top to bottom. */
  async messages(): Promise<ShownMessage[]> {
    return await this.page.locator('.group').evaluateAll((groups) =>
      groups.flatMap((group) =>
        [...group.querySelectorAll('.bubble')].map((bubble) => ({
          from: group.getAttribute('aria-label') ?? '',
          text: [...bubble.children]
            .filter((child) => !child.classList.contains('bubble-end'))
            .map((child) => child.textContent)
            .join(''),
        })),
      ),
    )
  }

  async seesMessages(texts: readonly string[]): Promise<void> {
    await expect.poll(async () => (await this.messages()).map((message) => message.text), eventually).toEqual(texts)
  }
}
