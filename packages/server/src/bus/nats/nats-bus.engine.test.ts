import { type NatsServer, startNats, startNatsCluster, startTcpProxy, type TcpProxy } from '@parley/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.ts'
import { busContract } from '../bus.contract.ts'
import type { Bus, BusState } from '../bus.ts'
import { NatsBus } from './nats-bus.ts'

const opened: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})
const keep = <T extends { close(): Promise<unknown> }>(one: T): T => {
  opened.push(one)
  return one
}

const logged: string[] = []
function join(servers: readonly { readonly port: number }[], deployment = 'test'): NatsBus {
  const address = `nats://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  const log = (message: string) => logged.push(message)
  return keep(new NatsBus({ address, deployment, node: 'a-node', clock: systemClock, log }))
}

async function connected(...buses: readonly Bus[]) {
  for (const bus of buses) await expect.poll(() => bus.state.state, { timeout: 10_000 }).toBe('connected')
}

const text = (payload: Uint8Array) => new TextDecoder().decode(payload)
const bytes = (said: string) => new TextEncoder().encode(said)

/** Says numbers until one arrives: the first thing heard after a trouble. */
async function talks(from: Bus, to: Bus) {
  const heard: string[] = []
  const stop = to.subscribe('nodes', (payload) => heard.push(text(payload)))
  await expect
    .poll(
      () => {
        from.publish('nodes', bytes('hello'))
        return heard.length
      },
      { timeout: 15_000, interval: 50 },
    )
    .toBeGreaterThan(0)
  stop()
}

function changesOf(bus: Bus) {
  const changes: { readonly state: BusState['state']; readonly at: number }[] = []
  bus.watch(({ state }) => changes.push({ state, at: performance.now() }))
  return changes
}

describe('the bus on NATS', () => {
  busContract(async () => {
    const server = await startNats()
    return {
      async join(deployment) {
        const bus = join([server], deployment)
        await connected(bus)
        return bus
      },
      close: () => server.close(),
    }
  })
})

describe('when its server', () => {
  it('is not there yet, it is waited for, and who subscribed meanwhile hears', async () => {
    const server = keep(await startNats())
    await server.kill()
    const [a, b] = [join([server]), join([server])]
    const heard: string[] = []
    b.subscribe('nodes', (payload) => heard.push(text(payload)))
    expect(a.state.state).toBe('degraded')
    a.publish('nodes', bytes('lost'))
    expect(a.counts.dropped).toBe(1)
    await server.restart()
    await connected(a, b)
    a.publish('nodes', bytes('heard'))
    await expect.poll(() => heard).toEqual(['heard'])
  })

  it('is killed, that is known at once, and mended when it is back', async () => {
    const server = keep(await startNats())
    const [a, b] = [join([server]), join([server])]
    await connected(a, b)
    const states = changesOf(a)
    await server.kill()
    await expect.poll(() => states.map(({ state }) => state), { timeout: 2_000 }).toEqual(['degraded'])
    for (let i = 0; i < 100; i++) a.publish('nodes', bytes('lost'))
    await server.restart()
    await connected(a, b)
    await talks(a, b)
    expect(a.counts).toMatchObject({ losses: 1, dropped: 100 })
  })

  it('is frozen, that is known within 10 s', async () => {
    const server = keep(await startNats())
    const a = join([server])
    await connected(a)
    const states = changesOf(a)
    const since = performance.now()
    server.freeze()
    await expect.poll(() => states.length, { timeout: 12_000 }).toBe(1)
    server.thaw()
    expect(states[0]!.at - since).toBeLessThan(10_000)
    await connected(a)
  })

  it('is one of three, another one is taken', async () => {
    const servers = await startNatsCluster(3)
    servers.map(keep)
    const [a, b] = [join(servers), join(servers)]
    await connected(a, b)
    await talks(a, b)
    for (const dying of servers.slice(0, 2)) {
      await dying.kill()
      await talks(a, b)
      await talks(b, a)
    }
  })
})

describe('when the network swallows everything', () => {
  async function hole(): Promise<{ server: NatsServer; proxy: TcpProxy; inside: NatsBus; outside: NatsBus }> {
    const server = keep(await startNats())
    const proxy = keep(await startTcpProxy({ target: { port: server.port } }))
    const [inside, outside] = [join([proxy]), join([server])]
    await connected(inside, outside)
    await talks(inside, outside)
    return { server, proxy, inside, outside }
  }

  it('that is known within 10 s, though no connection was ever reset', async () => {
    const { proxy, inside, outside } = await hole()
    const states = changesOf(inside)
    const since = performance.now()
    proxy.blackHole()
    await expect.poll(() => states.length, { timeout: 12_000 }).toBe(1)
    expect(states[0]!.state).toBe('degraded')
    expect(states[0]!.at - since).toBeLessThan(10_000)
    await proxy.calm()
    await connected(inside)
    await talks(inside, outside)
    await talks(outside, inside)
  })

  it('that is known within 10 s even while it is being talked into, and no memory is spent on it', async () => {
    const { proxy, inside, outside } = await hole()
    const states = changesOf(inside)
    proxy.stall()
    const payload = new Uint8Array(100_000)
    const since = performance.now()
    const talking = setInterval(() => {
      for (let i = 0; i < 10; i++) inside.publish('changes.0', payload)
    }, 10)
    try {
      await expect.poll(() => states.length, { timeout: 12_000 }).toBe(1)
    } finally {
      clearInterval(talking)
    }
    expect(states[0]!.at - since).toBeLessThan(10_000)
    expect(inside.counts.dropped).toBeGreaterThan(100)
    expect(inside.counts.publishedBytes).toBeLessThan(10 * 1024 * 1024)
    await proxy.calm()
    await connected(inside)
    await talks(inside, outside)
  })
})

it('where it may not listen, it does not take itself for connected for long', async () => {
  const server = keep(await startNats({ args: ['--user', 'parley', '--pass', 'secret'] }))
  const stranger = join([server])
  await expect.poll(() => logged).toContain('the bus cannot be reached')
  expect(stranger.state.state).toBe('degraded')
  const log = () => undefined
  const address = `nats://parley:secret@127.0.0.1:${server.port}`
  const known = keep(new NatsBus({ address, deployment: 'test', node: 'known', clock: systemClock, log }))
  await connected(known)
})

it('deployments are named so that their subjects cannot overlap', () => {
  const log = () => undefined
  for (const deployment of ['', 'a.b', 'a>', '*', 'a b']) {
    expect(() => new NatsBus({ address: 'nats://x', deployment, node: 'n', clock: systemClock, log })).toThrow(
      /name of a deployment/,
    )
  }
})
