import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Device } from './support/browser.ts'
import { inChapters } from './support/chapters.ts'
import { Chat } from './support/chat.ts'
import { type Development, startDevelopment } from './support/development.ts'
import { keptText } from './support/traces.ts'

describe('what can be done with a conversation', () => {
  inChapters()

  const alices = new Device({ name: 'alice' })
  const bens = new Device({ name: 'ben' })
  const cleos = new Device({ name: 'cleo' })
  const devices = [alices, bens, cleos]
  let development: Development

  const chat = (device: Device) => new Chat(device.page)
  const choose = async (device: Device, item: string) => {
    await device.page.getByRole('button', { name: 'Conversation', exact: true }).click()
    await device.page.getByRole('menuitem', { name: item }).click()
  }
  const answer = async (device: Device, question: string, button: string) => {
    await device.page.getByRole('dialog', { name: question }).getByRole('button', { name: button }).click()
  }
  const deleteMessage = async (device: Device, text: string, button: string) => {
    await chat(device).bubble(text).hover()
    await chat(device).bubble(text).getByRole('button', { name: 'Message actions' }).click()
    await device.page.getByRole('menuitem', { name: 'Delete' }).click()
    await answer(device, 'Delete this message?', button)
  }

  beforeAll(async () => {
    development = await startDevelopment()
    for (const device of devices) await device.open(development.demoUrl)
  })

  afterAll(async () => {
    for (const device of devices) await device.discard()
    await development?.close()
  })

  it('says so when user and password do not go together, and lets one try again', async () => {
    await alices.page.getByLabel('User').fill('alice')
    await alices.page.getByLabel('Password').fill('not it')
    await alices.page.getByRole('button', { name: 'Sign in' }).click()
    await alices.page.getByRole('alert').getByText('do not go together').waitFor()
    await alices.picture('wrong-password')
    await chat(alices).signIn('alice')
    await chat(bens).signIn('ben')
    await chat(cleos).signIn('cleo')
  })

  it('renames it for everybody', async () => {
    await chat(alices).start('ben, cleo')
    await chat(alices).send('Where shall we eat?')
    await choose(alices, 'Rename')
    await alices.page.getByLabel('Title').fill('Dinner')
    await alices.page.getByRole('button', { name: 'Save' }).click()
    for (const device of [bens, cleos]) await chat(device).openConversation('Dinner')
  })

  it('takes a message away for one person or for all', async () => {
    await chat(bens).send('At my place', 'I mean yours')
    await chat(alices).seesMessages(['Where shall we eat?', 'At my place', 'I mean yours'])
    await deleteMessage(bens, 'I mean yours', 'For all')
    for (const device of devices) await chat(device).seesMessages(['Where shall we eat?', 'At my place'])
    await deleteMessage(cleos, 'At my place', 'For me')
    await chat(cleos).seesMessages(['Where shall we eat?'])
    await chat(alices).seesMessages(['Where shall we eat?', 'At my place'])
  })

  it('adds and removes people; who was removed can still read', async () => {
    await choose(alices, 'People')
    const people = alices.page.getByRole('dialog', { name: 'People' })
    await people.getByLabel('Add people').fill('dana')
    await people.getByRole('button', { name: 'Add', exact: true }).click()
    await people.getByText('Dana').waitFor()
    await people.getByRole('button', { name: 'Remove Cleo' }).click()
    await people.getByRole('button', { name: 'Remove Cleo' }).waitFor({ state: 'detached' })
    await alices.picture('people')
    await people.getByRole('button', { name: 'Done' }).click()
    await cleos.page.getByText('You were taken out of this conversation').waitFor()
    await chat(cleos).seesMessages(['Where shall we eat?'])
  })

  it('keeps what was refused for the next sign-in, if one signs out like that', async () => {
    await chat(alices).start('ben, cleo', 'Bridge')
    await chat(cleos).openConversation('Bridge')
    await chat(cleos).switchNetwork('offline')
    await chat(cleos).send('I would love to')
    await choose(alices, 'People')
    const people = alices.page.getByRole('dialog', { name: 'People' })
    await people.getByRole('button', { name: 'Remove Cleo' }).click()
    await people.getByRole('button', { name: 'Remove Cleo' }).waitFor({ state: 'detached' })
    await people.getByRole('button', { name: 'Done' }).click()
    await chat(alices).openConversation('Dinner')
    await chat(cleos).switchNetwork('online')
    await chat(cleos).seesTicks('I would love to', 'failed')
    await chat(cleos).asksToSignOut()
    await cleos.page.getByRole('dialog').getByText('I would love to').waitFor()
    await cleos.picture('sign-out-with-unsent')
    await answer(cleos, 'Sign out with unsent work?', 'Sign out and keep it here')
    await cleos.page.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(await keptText(cleos.page)).toContain('I would love to')
    await chat(cleos).signIn('cleo')
    await chat(cleos).openConversation('Bridge')
    await chat(cleos).seesTicks('I would love to', 'failed')
    await chat(cleos).bubble('I would love to').getByRole('button', { name: 'Discard' }).click()
    await chat(cleos).bubble('I would love to').waitFor({ state: 'detached' })
  })

  it('keeps the place in older messages, and tells of new ones below', async () => {
    const lines = Array.from({ length: 60 }, (_, index) => `Dish ${index + 1} of 60`)
    await chat(alices).send(...lines)
    await chat(bens).bubble('Dish 60 of 60').waitFor()
    await bens.page.reload()
    await chat(bens).bubble('Dish 60 of 60').waitFor()
    await bens.page.getByRole('region', { name: 'Messages' }).hover()
    const begin = bens.page.getByText('This is where it began.')
    await expect
      .poll(
        async () => {
          await bens.page.mouse.wheel(0, -2_000)
          return (await begin.count()) > 0 && (await chat(bens).bubble('Where shall we eat?').isVisible())
        },
        { timeout: 20_000 },
      )
      .toBe(true)
    await chat(alices).send('And a dessert')
    await bens.page.getByRole('button', { name: '1 new' }).click()
    await chat(bens).bubble('And a dessert').waitFor()
    await alices.page.getByText('Read by Ben').waitFor()
  })

  it('is gone for who leaves, and for all who are in it when it is deleted for all', async () => {
    await choose(bens, 'Leave')
    await answer(bens, 'Leave this conversation?', 'Leave')
    await chat(bens).entry('Dinner').waitFor({ state: 'detached' })
    await choose(alices, 'Delete')
    await answer(alices, 'Delete this conversation?', 'For all')
    await chat(alices).entry('Dinner').waitFor({ state: 'detached' })
  })

  it('finds the conversation of the same two people instead of making another', async () => {
    await chat(alices).start('ben')
    await chat(alices).send('Just us two')
    await chat(bens).start('alice')
    await chat(bens).seesMessages(['Just us two'])
    await chat(bens).send('Indeed')
    await chat(alices).seesMessages(['Just us two', 'Indeed'])
  })

  it('TAB-1 works the same in a second tab, and goes on there when the first is closed', async () => {
    const second = await alices.context.newPage()
    await second.goto(development.demoUrl)
    await new Chat(second).openConversation('Ben')
    await new Chat(second).seesMessages(['Just us two', 'Indeed'])
    await new Chat(second).send('From a second tab')
    await chat(alices).seesMessages(['Just us two', 'Indeed', 'From a second tab'])
    await alices.page.close()
    await new Chat(second).send('From the only one')
    await chat(bens).seesMessages(['Just us two', 'Indeed', 'From a second tab', 'From the only one'])
  })

  it('says so when the session was ended elsewhere, and leaves no trace', async () => {
    await development.revokeSessions('ben')
    await bens.page.getByText('Your session has ended').waitFor()
    expect((await keptText(bens.page)).includes('Just us two')).toBe(false)
    await chat(bens).signIn('ben')
    await chat(bens).openConversation('Alice')
    await chat(bens).seesMessages(['Just us two', 'Indeed', 'From a second tab', 'From the only one'])
  })

  it('shows no error and breaks no rule of the page', () => {
    const isExpected = (text: string) => /status of 401/.test(text)
    for (const device of devices) expect(device.complaints.filter((text) => !isExpected(text))).toEqual([])
  })
})
