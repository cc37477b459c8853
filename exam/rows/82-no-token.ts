import type { Deauthentication, OutboxEntry } from '@parley/client'
import { until } from '@parley/testkit'
import { hastyClock, hastyServerClock } from '../load/hasty-clock.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const SPEED = 20

export const row: Row = {
  id: 82,
  tier: 'q',
  title: 'no new token comes: at the end of the session the device is signed out and hands over what was unsent',
  limitMs: 15_000,
  async run(context) {
    const world = await World.openHere(context, { sessionSeconds: 30, clock: hastyServerClock(SPEED) })
    const { minter } = world.server
    const outcomes = []
    for (const isAway of [false, true]) {
      let asked = 0
      const userId = isAway ? 'away' : 'present'
      const device = await world.signedIn(userId, {
        clock: hastyClock(SPEED),
        challenge: async ({ nonce }) => (++asked === 1 ? minter.mint({ userId, nonce }) : null),
      })
      const conversation = await world.conversation([device])
      let unsent: readonly OutboxEntry[] = []
      const deauthentications: Deauthentication[] = []
      let rowsWhenTold = -1
      device.client.on('unsent', ({ entries }) => {
        unsent = entries
      })
      device.client.on('deauthenticated', (event) => deauthentications.push(event))
      if (isAway) {
        device.client.disconnect()
        for (let i = 0; i < 5; i++) await device.client.conversation(conversation).sendText(`unsent ${i}`)
        // Away until the session is over.
        await new Promise((resolve) => setTimeout(resolve, 31_000 / SPEED))
        device.client.connect()
      }
      await until(() => deauthentications.length > 0, `${userId} is signed out`)
      const replica = await device.replica()
      rowsWhenTold =
        (await replica.count('messages')) + (await replica.count('conversations')) + (await replica.count('outbox'))
      const refusal = await device.client
        .conversation(conversation)
        .sendText('late')
        .then(
          () => 'sent',
          (error: { code?: string }) => error.code,
        )
      outcomes.push({ isAway, unsent: unsent.length, reason: deauthentications[0]!.reason, rowsWhenTold, refusal })
    }
    const reasons = outcomes.map(({ reason }) => reason).join('+')
    return judge({
      bites: outcomes.length,
      figures: { reasons, unsent: outcomes.map(({ unsent }) => unsent).join('+') },
      holds: {
        'the local copy is gone': outcomes.every(({ rowsWhenTold }) => rowsWhenTold === 0),
        'nobody can talk any more': outcomes.every(({ refusal }) => refusal === 'not_authenticated'),
        'what was unsent was handed over': outcomes.every(({ isAway, unsent }) => unsent === (isAway ? 5 : 0)),
      },
    })
  },
}
