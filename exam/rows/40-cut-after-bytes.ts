import { type Direction, startTcpProxy, until } from '@parley/testkit'
import { allBack, nudgeAll } from '../load/killing.ts'
import { World } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

/** Bytes between two cuts, and up to where: from the handshake far into the conversation. */
const STEP = 97
const FURTHEST = 6_000
const DEVICES = 6

export const row: Row = {
  id: 40,
  tier: 'q',
  title: 'the connection is cut after every 97th byte, both ways',
  limitMs: 20_000,
  async run(context) {
    const world = await World.open(context)
    const proxies = await Promise.all(
      Array.from({ length: DEVICES }, () => startTcpProxy({ target: { port: world.server.port } })),
    )
    for (const proxy of proxies) context.onEnd(() => proxy.close())
    const devices = await Promise.all(
      proxies.map(({ port }, i) =>
        world.signedIn(['alice', 'ben', 'cleo'][i % 3]!, { websocketUrl: `ws://127.0.0.1:${port}` }),
      ),
    )
    const conversation = await world.conversation(devices)
    devices[0]!.watch(conversation)
    const cuts: { readonly bytes: number; readonly direction: Direction }[] = []
    for (let bytes = STEP; bytes < FURTHEST; bytes += STEP) {
      cuts.push({ bytes, direction: 'down' })
      // A device says less than it hears.
      if (bytes < FURTHEST / 3) cuts.push({ bytes, direction: 'up' })
    }
    let bites = 0
    const hints = setInterval(() => nudgeAll(world), 20)
    context.onEnd(() => clearInterval(hints))
    await Promise.all(
      devices.map(async (device, i) => {
        for (let number = 0, next = cuts.shift(); next; next = cuts.shift()) {
          const bitten = proxies[i]!.cutAfter(next.bytes, next.direction).then(() => bites++)
          proxies[i]!.cut()
          let isOver = false
          void bitten.then(() => (isOver = true))
          await until(() => isOver || device.isLive, 'the device tries again')
          while (!isOver) {
            const sent = await device.send(conversation, `${device.name} #${number++}`)
            await Promise.race([bitten, sent?.acknowledged.catch(() => undefined)])
          }
        }
      }),
    )
    for (const proxy of proxies) await proxy.calm()
    world.heal()
    await allBack(world)
    const { findings, figures } = await world.examine()
    return judge({ bites, findings, figures })
  },
}
