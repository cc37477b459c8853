import { until } from '@parley/testkit'
import { messagesOf } from '../checker/history.ts'
import { allBack } from '../load/killing.ts'
import { readStoreView } from '../load/store-view.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const UNSENT = 30

export const row: Row = {
  id: 69,
  tier: 'q',
  title: 'signing out with thirty unsent: online, offline, and while the server dies',
  async run(context) {
    const world = await World.open(context)
    const { server } = world
    const [leaver, witness] = [await world.signedIn('alice'), await world.signedIn('ben')]
    const conversation = await world.conversation([leaver, witness])
    let number = 0
    const write = () => Promise.all(Array.from({ length: UNSENT }, () => leaver.send(conversation, `text ${number++}`)))
    const stored = async () => messagesOf((await readStoreView(server, 'ben')).copy).length
    const rows = async () => {
      const replica = await leaver.replica()
      // The term says which tab may write, and nothing of anybody.
      const meta = (await replica.scan('meta')).filter(({ name }) => name !== 'term')
      return (await replica.count('messages')) + (await replica.count('outbox')) + meta.length
    }

    leaver.client.disconnect()
    await write()
    const offline = await leaver.client.deauthenticate().catch((error: { code?: string }) => error.code)
    const keptOffline = await (await leaver.replica()).count('outbox')

    leaver.client.connect()
    await until(() => leaver.isLive, 'the device is back')
    const leaving = leaver.client.deauthenticate().then(
      () => 'signed out',
      (error: { code?: string }) => error.code,
    )
    await server.kill()
    const died = await leaving
    const stateAfterDeath = leaver.client.state.state
    await server.start()
    await allBack(world)

    await write()
    await leaver.client.deauthenticate()
    const left = await rows()
    const arrived = await stored()
    await leaver.signIn()
    world.heal()
    await allBack(world)
    const { findings, figures } = await world.examine({ except: ['C6', 'C7'] })
    return judge({
      bites: [offline === 'offline', died !== 'signed out', arrived > 0].filter(Boolean).length,
      findings,
      figures: { ...figures, offline: String(offline), keptOffline, died: String(died), left, arrived },
      holds: {
        'offline it was refused and nothing was deleted': offline === 'offline' && keptOffline === UNSENT,
        'when the server died the user was still signed in': stateAfterDeath === 'authenticated',
        'online all was sent first': arrived === 2 * UNSENT,
        'and nothing was left on the device': left === 0,
      },
    })
  },
}
