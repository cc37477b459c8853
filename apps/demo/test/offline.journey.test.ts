import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Device } from './support/browser.ts'
import { inChapters } from './support/chapters.ts'
import { Chat } from './support/chat.ts'
import { type Development, startDevelopment } from './support/development.ts'
import { keptText } from './support/traces.ts'

/** One story in chapters; each goes on where the one before ended. */
describe('Alice with a laptop and a phone, and Ben', () => {
  inChapters()

  const laptop = new Device({ name: 'alice-laptop' })
  const phone = new Device({ name: 'alice-phone', size: { width: 390, height: 760 } })
  const bens = new Device({ name: 'ben' })
  const devices = [laptop, phone, bens]
  const said: string[] = []
  let development: Development

  const chat = (device: Device) => new Chat(device.page)
  const say = async (device: Device, ...texts: string[]) => {
    await chat(device).send(...texts)
    said.push(...texts)
  }

  beforeAll(async () => {
    development = await startDevelopment()
    for (const device of devices) await device.open(development.demoUrl)
  })

  afterAll(async () => {
    for (const device of devices) await device.discard()
    await development?.close()
  })

  it('signs everybody in, Alice twice', async () => {
    await chat(laptop).signIn('alice')
    await chat(phone).signIn('alice')
    await chat(bens).signIn('ben')
    await laptop.picture('signed-in')
  })

  it('carries a conversation to all three devices, with counts and ticks', async () => {
    await chat(laptop).start('ben', 'Canary plans')
    await say(laptop, 'Canary one: are you there?')
    await chat(bens).seesUnread('Canary plans', 1)
    await chat(laptop).seesTicks('Canary one', 'delivered')

    await chat(bens).openConversation('Canary plans')
    await chat(laptop).seesTicks('Canary one', 'read')
    await chat(bens).seesUnread('Canary plans', 0)

    await say(bens, 'Canary two: always')
    await chat(phone).openConversation('Canary plans')
    for (const device of devices) await chat(device).seesMessages(said)
    await laptop.picture('three-devices-laptop')
    await phone.picture('three-devices-phone')
  })

  it('shows that somebody is typing, and stops when the message is there', async () => {
    await chat(bens).composer().pressSequentially('Canary three')
    await laptop.page.locator('.thread-title .typing').waitFor()
    await chat(bens).composer().press('Enter')
    said.push('Canary three')
    await chat(laptop).seesMessages(said)
    await laptop.page.locator('.thread-title .typing').waitFor({ state: 'detached' })
  })

  it('lets Alice read and write without a network', async () => {
    await chat(laptop).switchNetwork('offline')
    await laptop.context.setOffline(true)
    await chat(laptop).send('Canary four: written in a tunnel', 'Canary five: a second one')
    await chat(laptop).seesTicks('Canary four', 'pending')
    await laptop.picture('offline')
  })

  it('refuses to sign out without a network, and keeps everything', async () => {
    await chat(laptop).asksToSignOut()
    await laptop.page.getByText('Signing out needs a connection').waitFor()
    await chat(laptop).seesMessages([...said, 'Canary four: written in a tunnel', 'Canary five: a second one'])
    await laptop.picture('sign-out-refused')
  })

  it('shows the same after a reload without a network', async () => {
    await laptop.page.reload()
    await chat(laptop).seesMessages([...said, 'Canary four: written in a tunnel', 'Canary five: a second one'])
    await chat(laptop).seesTicks('Canary five', 'pending')
  })

  it('goes on around her meanwhile', async () => {
    await say(bens, 'Canary six: meanwhile')
    await chat(phone).seesMessages(said)
    await say(phone, 'Canary seven: from the phone')
    await chat(bens).seesMessages(said)
  })

  it('shows the same after the browser was closed and opened again, still without a network', async () => {
    await laptop.close()
    await laptop.open('about:blank')
    await laptop.context.setOffline(true)
    await laptop.page.goto(development.demoUrl)
    await chat(laptop).seesConnection('Offline')
    await chat(laptop).openConversation('Canary plans')
    await chat(laptop).seesTicks('Canary four', 'pending')
    await chat(laptop).send('Canary eight: after the restart')
    await laptop.picture('offline-after-restart')
  })

  it('brings everybody to the same conversation once she is back', async () => {
    await laptop.context.setOffline(false)
    await chat(laptop).switchNetwork('online')
    said.push('Canary four: written in a tunnel', 'Canary five: a second one', 'Canary eight: after the restart')
    for (const device of devices) await chat(device).seesMessages(said)
    await chat(laptop).seesTicks('Canary eight', 'read')
    await chat(phone).seesTicks('Canary eight', 'read')
    for (const device of devices) await chat(device).seesUnread('Canary plans', 0)
    await laptop.picture('together-again-laptop')
    await phone.picture('together-again-phone')
    await bens.picture('together-again-ben')
  })

  it('leaves no trace of conversations after signing out', async () => {
    const traces = [
      /Canary/,
      /layer:\/\/\/(conversations|messages)\/[0-9a-f]{8}-/,
      /layer:\/\/\/identities\/(alice|ben)/,
    ]
    const kept = await keptText(laptop.page)
    expect(traces.filter((trace) => !trace.test(kept))).toEqual([])
    await chat(laptop).signOut()
    const left = await keptText(laptop.page)
    expect(traces.filter((trace) => trace.test(left))).toEqual([])
    await laptop.picture('signed-out')
  })

  it('brings everything back with the next sign-in', async () => {
    await chat(laptop).signIn('alice')
    await chat(laptop).openConversation('Canary plans')
    await chat(laptop).seesMessages(said)
  })

  it('never showed an error or asked for anything the page may not do', () => {
    const isExpected = (text: string) => /ERR_INTERNET_DISCONNECTED/.test(text)
    for (const device of devices) expect(device.complaints.filter((text) => !isExpected(text))).toEqual([])
  })
})
