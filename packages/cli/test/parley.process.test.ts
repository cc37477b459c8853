import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, type ParleyServer, parley, startParley } from '@parley/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'

let dataFolder: string
const servers: ParleyServer[] = []

beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'parley-cli-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
  rmSync(dataFolder, { recursive: true, force: true })
})

async function start(options: { port?: number } = {}) {
  const server = await startParley({ dataFolder, ...options })
  servers.push(server)
  return server
}

const isHealthy = async ({ url }: ParleyServer) => (await fetch(`${url}/healthz`)).ok

test('serve prints one line of JSON, answers, and drains on SIGTERM', async () => {
  const server = await start()
  expect(JSON.parse(server.lines[0] ?? '')).toEqual({
    url: `http://127.0.0.1:${server.port}`,
    websocketUrl: `ws://127.0.0.1:${server.port}`,
    port: server.port,
    pid: server.pid,
  })
  expect(await isHealthy(server)).toBe(true)
  expect(await server.terminate()).toEqual({ code: 0, signal: null })
  expect(server.lines).toHaveLength(1)
})

test('a server that was killed comes back at the same address with its apps', async () => {
  const server = await start()
  const { appId } = await createApp(dataFolder)
  await server.kill()
  const again = await start({ port: server.port })
  expect(await isHealthy(again)).toBe(true)
  const list = parley(['apps', 'list', '--data', dataFolder])
  await list.line(new RegExp(appId))
  expect(await list.exit).toEqual({ code: 0, signal: null })
})

test('a port that is taken is told in one sentence', async () => {
  const { port } = await start()
  const second = parley(['serve', '--port', String(port), '--data', join(dataFolder, 'other')])
  expect((await second.exit).code).toBe(1)
  expect(second.lines).toEqual([
    `parley: Port ${port} of 127.0.0.1 is taken. Choose another with --port, or --port 0 for any free one.`,
  ])
})

test('an app is created while a server runs, and its private key is printed once', async () => {
  await start()
  const created = await createApp(dataFolder, ['--name', 'Bakery'])
  expect(created).toMatchObject({
    appId: expect.stringMatching(/^layer:\/\/\/apps\/staging\/[0-9a-f-]{36}$/),
    providerId: expect.stringMatching(/^layer:\/\/\/providers\/[0-9a-f-]{36}$/),
    keyId: expect.stringMatching(/^layer:\/\/\/keys\/[0-9a-f-]{36}$/),
    privateKeyPem: expect.stringContaining('BEGIN PRIVATE KEY'),
  })
  const list = parley(['apps', 'list', '--data', dataFolder, '--json'])
  await list.exit
  expect(JSON.parse(list.lines[0] ?? '')).toMatchObject([{ appId: created.appId, name: 'Bakery' }])
  expect(list.lines.join()).not.toContain('PRIVATE')
})

test('a key is added, disabled, and cannot be disabled when it is not there', async () => {
  const { appId } = await createApp(dataFolder)
  const added = parley(['keys', 'add', appId, '--algorithm', 'EdDSA', '--json', '--data', dataFolder])
  await added.exit
  const { keyId } = JSON.parse(added.lines[0] ?? '')
  const disabled = parley(['keys', 'disable', keyId, '--data', dataFolder])
  expect((await disabled.exit).code).toBe(0)
  const missing = parley([
    'keys',
    'disable',
    'layer:///keys/00000000-0000-4000-8000-000000000000',
    '--data',
    dataFolder,
  ])
  expect((await missing.exit).code).toBe(1)
  expect(missing.lines).toHaveLength(1)
})

test('a command line that makes no sense ends with code 2', async () => {
  expect((await parley(['serve', '--port', 'eighty']).exit).code).toBe(2)
})
