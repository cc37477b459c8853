import { until } from '@parley/testkit'
import { hastyServerClock } from '../load/hasty-clock.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const IN_FLIGHT_AND_WAITING = 100

export const row: Row = {
  id: 80,
  tier: 'q',
  title: 'a session is renewed while a hundred operations are under way',
  async run(context) {
    const clock = hastyServerClock(15)
    const world = await World.openHere(context, { sessionSeconds: 30, clock })
    const { minter } = world.server
    let onChallenge = async () => {}
    const device = await world.signedIn('alice', {
      challenge: async ({ nonce }) => {
        await onChallenge()
        return minter.mint({ userId: 'alice', nonce })
      },
    })
    const conversation = await world.conversation([device])
    let inOutbox = 0
    let renewals = 0
    device.client.on('renewed', () => renewals++)
    onChallenge = async () => {
      await Promise.all(Array.from({ length: IN_FLIGHT_AND_WAITING }, (_, i) => device.send(conversation, `text ${i}`)))
      inOutbox = await (await device.replica()).count('outbox')
    }
    const before = { tokens: device.tokensAsked, states: device.connections.length }
    await until(() => renewals === 1, 'the session is renewed')
    const asked = device.tokensAsked - before.tokens
    // Only the challenge for the next session may come while we count, and it is answered without more work.
    onChallenge = async () => {}
    const reconnects = device.connections.slice(before.states).filter((state) => state === 'connecting').length
    const { findings, figures } = await world.examine()
    return judge({
      bites: renewals,
      findings,
      figures: { ...figures, inOutbox, asked, reconnects },
      holds: {
        'there was work under way': inOutbox > 30,
        'the app was asked for one token': asked === 1,
        'the connection stayed': reconnects === 0,
      },
    })
  },
}
