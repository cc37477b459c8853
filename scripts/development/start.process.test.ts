import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunningProcess, startProcess } from '@parley/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** What `npm start` runs once everything is installed and built. */
const main = fileURLToPath(new URL('./main.mjs', import.meta.url))

let folder: string
const programs: RunningProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-start-'))
})
afterEach(async () => {
  for (const program of programs.splice(0)) await program.close()
  rmSync(folder, { recursive: true, force: true })
})

const dataFolder = () => join(folder, 'data')
const devFile = () => join(dataFolder(), 'dev.json')
const readDevFile = () => JSON.parse(readFileSync(devFile(), 'utf8'))

function start(port: string) {
  const env = { PORT: port, PARLEY_DATA: dataFolder(), PARLEY_HOST: undefined }
  const program = startProcess({ command: process.execPath, args: [main], env })
  programs.push(program)
  return program
}

async function startReady() {
  const program = start('0')
  await program.line(/Parley is running/)
  return program
}

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

test('dev.json tells where everything is, and everything is there', async () => {
  const { pid } = await startReady()
  const dev = readDevFile()
  expect(dev).toEqual({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    websocketUrl: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+/),
    appId: expect.stringMatching(/^layer:\/\/\/apps\/staging\//),
    authServiceUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    demoUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    pid,
  })
  expect((await fetch(`${dev.url}/healthz`)).status).toBe(200)
  expect(await (await fetch(`${dev.demoUrl}/config.json`)).json()).toMatchObject({ appId: dev.appId, url: dev.url })
  const login = { user: 'alice', password: 'parley', nonce: 'a-nonce-of-the-test' }
  const answer = await post(`${dev.authServiceUrl}/identity-token`, login)
  expect(await answer.json()).toEqual({ identity_token: expect.stringMatching(/^ey/) })
})

test('SIGTERM stops everything, takes dev.json away, and the next start has the same app', async () => {
  const program = await startReady()
  const { appId } = readDevFile()
  expect(await program.terminate()).toEqual({ code: 0, signal: null })
  expect(existsSync(devFile())).toBe(false)
  await startReady()
  expect(readDevFile().appId).toBe(appId)
})

test('after a kill -9, what dev.json said is not believed', async () => {
  const program = await startReady()
  await program.kill()
  expect(existsSync(devFile())).toBe(true)
  const again = await startReady()
  expect(readDevFile().pid).toBe(again.pid)
})

test('a second start on the same folder is told of the first', async () => {
  await startReady()
  const { demoUrl, pid } = readDevFile()
  const second = start('0')
  expect((await second.exit).code).toBe(1)
  expect(second.lines.join('\n')).toContain(`(process ${pid}), and the demo is at ${demoUrl}`)
  expect(readDevFile().pid).toBe(pid)
})

test('a port that was asked for and is taken is named, with a free one', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  const program = start(String(port))
  expect((await program.exit).code).toBe(1)
  expect(program.lines).toHaveLength(1)
  expect(program.lines[0]).toMatch(new RegExp(`^Port ${port} is taken\\. Choose another: PORT=\\d+ npm start$`))
  taken.close()
})

test('with NODE_ENV=production it does not start: its accounts have passwords that everybody knows', async () => {
  const env = { PORT: '0', PARLEY_DATA: dataFolder(), PARLEY_HOST: undefined, NODE_ENV: 'production' }
  const program = startProcess({ command: process.execPath, args: [main], env })
  programs.push(program)
  expect((await program.exit).code).toBe(1)
  expect(program.lines.join('\n')).toContain('This is for development')
  expect(existsSync(join(dataFolder(), 'accounts.sqlite'))).toBe(false)
})
