import { type FrameProxy, type FrameRule, SeededChance, startFrameProxy } from '@parley/testkit'
import { resourcesOf, watched } from '../instruments/resources.ts'
import { judge, type RowContext, type RowResult } from '../row.ts'
import { hastyClock } from './hasty-clock.ts'
import { chatter, mixed } from './workloads.ts'
import { pause, World } from './world.ts'

export interface FrameFaults {
  readonly rules: readonly FrameRule[]
  readonly forMs: number
  /** The devices' clocks run so many times as fast, so that what they wait for comes sooner. */
  readonly speed?: number
}

/** Devices whose every frame passes a proxy that misbehaves for a while; people chat all along. */
export async function withFrameFaults(context: RowContext, faults: FrameFaults): Promise<RowResult> {
  const { rules, forMs, speed = 1 } = faults
  const world = await World.open(context, { env: watched })
  const proxy = await proxyFor(context, world)
  const clock = hastyClock(speed)
  const devices = []
  for (const userId of ['alice', 'alice', 'ben', 'cleo']) {
    devices.push(await world.signedIn(userId, { websocketUrl: proxy.url, clock }))
  }
  const [busy, calm] = [await world.conversation(devices), await world.conversation(devices)]
  devices[2]!.watch(busy)
  const before = resourcesOf(world.server)
  proxy.misbehave(rules)
  const loads = [chatter(devices, busy, 2), mixed({ world, chance: context.chance, conversations: [busy, calm] })]
  await pause(forMs)
  const stopping = Promise.all(loads.map((load) => load.stop()))
  await pause(200)
  proxy.calm()
  world.heal()
  await stopping
  const { findings, figures } = await world.examine({ before })
  const bites = Object.values(proxy.bites).reduce((sum, count) => sum + count, 0)
  const reconnects = proxy.accepted - devices.length
  return judge({ bites, findings, figures: { ...figures, reconnects } })
}

export async function proxyFor(
  context: RowContext,
  world: { readonly server: { readonly port: number } },
  onFrame?: Parameters<typeof startFrameProxy>[0]['onFrame'],
  translate?: Parameters<typeof startFrameProxy>[0]['translate'],
): Promise<FrameProxy> {
  const { port } = world.server
  const proxy = await startFrameProxy({
    target: { port },
    chance: new SeededChance(context.seed),
    ...(onFrame && { onFrame }),
    ...(translate && { translate }),
  })
  context.onEnd(() => proxy.close())
  return proxy
}
