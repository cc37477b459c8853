import { until } from '@parley/testkit'
import { BentClock } from '../instruments/bent-clock.ts'
import { chatter } from '../load/workloads.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const HOUR_S = 3_600
/** From right to an hour slow, to two hours fast, and right again: the clock goes back twice. */
const OFFSETS = [0, -HOUR_S, 2 * HOUR_S, 0]
/** The load at each setting. */
const LOAD_MS = 3_000
const SHORT_SESSION_S = 5

export const row: Row = {
  id: 75,
  tier: 'n',
  title: 'the server’s clock is set back an hour, then two hours ahead, while it runs',
  async run(context) {
    const clock = new BentClock(context)
    const world = await World.open(context, { env: clock.env })
    const { server } = world
    const devices = await world.team(['alice', 'alice', 'ben', 'cleo'])
    const conversation = await world.conversation(devices)
    devices[0]!.watch(conversation)

    // What must not come back to life: a nonce that was used, a session that was ended, one that expired unseen.
    const { nonce } = (await server.request('POST', '/nonces')) as { nonce: string }
    const used = await server.minter.mint({ userId: 'dana', nonce, expiresInSeconds: 4 * HOUR_S })
    const open = async (identity_token: string) => {
      const body = { identity_token, app_id: server.app.appId }
      return (await server.request('POST', '/sessions', body)) as { session_token: string }
    }
    const lasting = (await open(used)).session_token
    const ended = await server.signIn('dana')
    await server.request('DELETE', `/sessions/${encodeURIComponent(ended)}`, undefined, ended)
    const short = await server.request('POST', '/nonces')
    const expired = (
      await open(
        await server.minter.mint({
          userId: 'dana',
          nonce: (short as { nonce: string }).nonce,
          expiresInSeconds: SHORT_SESSION_S,
        }),
      )
    ).session_token
    const isAlive = (token: string) =>
      server.request('GET', '/conversations', undefined, token).then(
        () => true,
        () => false,
      )
    // It expires with nobody asking for it; the server's own round notices what time it was.
    await pause(2 * SHORT_SESSION_S * 1_000 + 2_000)

    const load = chatter(devices, conversation, 2)
    const connects = () => devices.flatMap((device) => device.connections).filter((state) => state !== 'live').length
    const before = connects()
    const revived: string[] = []
    const offBy: number[] = []
    let lasted = true
    for (const offset of OFFSETS) {
      await clock.set(offset)
      const body = await world.server.request('GET', '/healthz').then(() => fetch(`${server.url}/healthz`))
      offBy.push(Math.round((Date.parse(body.headers.get('date') ?? '') - Date.now()) / 1_000 / HOUR_S))
      if (
        await open(used).then(
          () => true,
          () => false,
        )
      )
        revived.push(`the nonce at ${offset}`)
      if (await isAlive(ended)) revived.push(`the ended session at ${offset}`)
      if (await isAlive(expired)) revived.push(`the expired session at ${offset}`)
      lasted &&= await isAlive(lasting)
      await pause(LOAD_MS)
    }
    const reconnects = connects() - before
    world.heal()
    await load.stop()
    const signsIn = await server.signIn('erin').then(
      () => true,
      () => false,
    )
    await until(() => devices.every((device) => device.isLive), 'all devices are live')
    const { findings, figures } = await world.examine()
    return judge({
      bites: offBy.join() === OFFSETS.map((offset) => offset / HOUR_S).join() ? OFFSETS.length - 1 : 0,
      findings,
      figures: { ...figures, hoursOff: offBy.join(' '), revived: revived.length, reconnects },
      holds: {
        [`nothing came back to life (${revived.join(', ')})`]: revived.length === 0,
        'a session with hours to live lived': lasted,
        'no connection was doubted or lost': reconnects === 0,
        'signing in works once the clock is right': signsIn,
      },
    })
  },
}
