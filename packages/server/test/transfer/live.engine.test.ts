/** Moving the store of a server that is used, by the shipped command and the shipped server. */
import { rmSync } from 'node:fs'
import { createApp, type PostgresServer, parley, startParley, startPostgres, until } from '@parley/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openNodeSdk } from '../layer/support/node-sdk.ts'
import { LiveWorld, type PreparedStore, prepareStore, sleep } from './live-world.ts'

describe('a store moves while its server is used', () => {
  let postgres: PostgresServer
  let prepared: PreparedStore
  let world: LiveWorld
  let url: string
  let count = 0

  beforeAll(async () => {
    postgres = await startPostgres({ version: 18, settings: { fsync: 'off' } })
    prepared = await prepareStore(12_000)
  })
  beforeEach(async () => {
    url = await postgres.createDatabase(`live_${++count}`)
    world = await LiveWorld.start(prepared)
  })
  afterEach(() => world?.close())
  afterAll(async () => {
    await postgres?.close()
    if (prepared) rmSync(prepared.folder, { recursive: true, force: true })
  })

  /** Runs it to its end; what it said last is its result. */
  async function migrated() {
    const run = world.migrateStore(url)
    const { code } = await run.exit
    expect(run.lines.at(-1)).toMatch(/^\{"state":"done"/)
    expect(code).toBe(0)
    return JSON.parse(run.lines.at(-1)!) as { pausedMs: number; server: { pid: number; isOver: boolean } }
  }

  function nobodyNoticed(): void {
    expect(world.devices.map(({ name, sockets }) => [name, sockets])).toEqual(
      world.devices.map(({ name }) => [name, 1]),
    )
    expect(world.turnedAway).toBe(0)
  }

  it('nobody notices: nothing is lost, doubled or reordered, sockets stay, writes wait for a moment', async () => {
    const ada = await openNodeSdk({
      url: world.server.url,
      websocketUrl: world.server.websocketUrl,
      appId: world.app.appId,
      identityToken: (nonce) => world.mint('ada', nonce),
    })
    try {
      await ada.run((sdk) => sdk.client.connect('ada'))
      await ada.until((sdk) => sdk.events.includes('ready'))
      world.begin()
      await world.flows()
      const revoked = parley(['sessions', 'revoke', world.app.appId, 'guest 0', '--data', world.folder])
      const from = performance.now()
      const { pausedMs, server } = await migrated()
      expect((await revoked.exit).code).toBe(0)
      expect(server).toEqual({ pid: world.server.pid, isOver: true })
      const late = await createApp(url, ['--name', 'late'])
      expect(late.appId).toBeDefined()
      await world.flows()
      await world.stop()
      await world.check(url)
      const pauseMs = world.longestPauseMs(from)
      console.log(
        `${world.acknowledged.length} acknowledged, ${world.signedIn} signed in; nobody was acknowledged anything for ` +
          `${pauseMs.toFixed(0)} ms at most, the file was locked for ${pausedMs.toFixed(0)} ms`,
      )
      expect(pauseMs).toBeLessThan(2_000)
      nobodyNoticed()

      // Layer's SDK goes on with its session and its socket.
      const conversation = `layer:///conversations/${world.conversation.slice(world.conversation.lastIndexOf('/') + 1)}`
      await ada.run(
        (sdk, id) =>
          new Promise<void>((resolve) => {
            const message = sdk.client.getConversation(id, true)!.createMessage('from ada')
            message.on('messages:sent', () => resolve())
            message.send()
          }),
        conversation,
      )
      const alice = world.devices[0]!
      const last = async () => (await world.messages(alice)).at(-1)!.parts[0]?.body
      await until(async () => (await last()) === 'from ada', 'Layer’s SDK is heard')
      expect(await ada.run((sdk) => sdk.wire.filter(({ what }) => what === 'socket').length)).toBe(1)
    } finally {
      await ada.close()
    }

    // Devices come back to a server that was started on the database, with the cursors they have.
    const meta = async (name: string) =>
      (await (await world.devices[0]!.replica()).get('meta', [name]))?.value as string | number
    const [epoch, cursor] = [await meta('epoch'), Number(await meta('cursor'))]
    expect(cursor).toBeGreaterThan(4_000_000_000)
    const { port } = world.server
    // Until then it serves alone: another server beside it would leave its people without what is said there.
    const second = parley(['serve', '--store', url, '--port', '0', '--bus', 'nats://127.0.0.1:1'])
    expect((await second.exit).code).toBe(1)
    expect(second.lines.join()).toMatch(
      new RegExp(`The server ${world.server.pid} serves postgres:.* alone: .* Start it anew on the database first`),
    )
    await world.server.kill()
    const refused = parley(['serve', '--data', world.folder, '--port', '0'])
    expect((await refused.exit).code).toBe(1)
    expect(refused.lines.join()).toMatch(/was moved to postgres:/)
    world.server = await startParley({ dataFolder: url, port })
    const [alice, ben] = world.devices
    const sent = await ben!.client.conversation(world.conversation).sendText('after all')
    await sent.acknowledged
    await until(async () => (await world.messages(alice!)).at(-1)!.parts[0]?.body === 'after all', 'Alice has it')
    expect(await meta('epoch')).toBe(epoch)
    expect(Number(await meta('cursor'))).toBeGreaterThan(cursor)
  })

  it.each(['standing-by 1', 'locked 1', 'ready 1', 'changes-carried-over 1'])(
    'the command is killed when it has %s: everybody goes on, and running it again is enough',
    async (moment) => {
      world.begin()
      await world.flows()
      const killed = world.migrateStore(url, { PARLEY_FAIL_POINT: moment })
      expect((await killed.exit).signal).toBe('SIGKILL')
      await world.flows()
      const { server } = await migrated()
      expect(server.isOver).toBe(true)
      await world.flows()
      await world.stop()
      await world.check(url)
      nobodyNoticed()
    },
  )

  it('the command is killed in the moment after the file was sealed: the server goes over by itself', async () => {
    world.begin()
    await world.flows()
    const killed = world.migrateStore(url, { PARLEY_FAIL_POINT: 'sealed 1' })
    expect((await killed.exit).signal).toBe('SIGKILL')
    await world.flows()
    const again = world.migrateStore(url)
    expect((await again.exit).code).toBe(0)
    expect(again.lines.at(-1)).toMatch(/^\{"state":"was-done"/)
    await world.stop()
    await world.check(url)
  })

  it('the server is killed between being ready and the end: it comes back on the file, or is told where to', async () => {
    world.begin()
    await world.flows()
    const killed = world.migrateStore(url, { PARLEY_FAIL_POINT: 'ready 1' })
    expect((await killed.exit).signal).toBe('SIGKILL')
    const { port } = world.server
    await world.server.kill()
    world.server = await startParley({ dataFolder: world.folder, port })
    await world.flows()
    await migrated()
    await world.flows()
    await world.stop()
    await world.check(url)
  })

  it('PostgreSQL is killed while rows are copied and comes back: the command goes on', async () => {
    world.begin()
    await world.flows()
    const run = world.migrateStore(url)
    await run.line(/"copying"/)
    await sleep(300)
    await postgres.kill()
    await sleep(1_000)
    await postgres.start()
    expect((await run.exit).code).toBe(0)
    await world.flows()
    await world.stop()
    await world.check(url)
  })

  it('a server that cannot reach the database is not left behind: the command refuses, and writes go on', async () => {
    // An address that means something to the command alone, as in containers with networks of their own.
    const address = new URL(url)
    const env = { PGHOST: address.hostname, PGPORT: address.port, PGUSER: 'postgres' }
    const run = world.migrateStore(`postgres://${address.pathname}`, env)
    expect((await run.exit).code).toBe(1)
    expect(run.lines.at(-1)).toMatch(/^parley: The server that runs on this store cannot go over: .*ECONNREFUSED/)
    world.begin()
    await world.flows()
    await world.stop()
  })

  it('a server that does not answer is not left behind: the command refuses, and writes go on', async () => {
    world.server.pause()
    const run = world.migrateStore(url)
    expect((await run.exit).code).toBe(1)
    world.server.resume()
    expect(run.lines.at(-1)).toMatch(/has .*parley\.sqlite open and does not say that it is ready to go over/)
    world.begin()
    await world.flows()
    await world.stop()
  })
})
