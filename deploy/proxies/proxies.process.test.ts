/** The real proxies, run by the files beside this one but for addresses, in front of real servers. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProcess } from '@parley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Person, startTestServer, type TestServer, text } from '../../packages/server/test/support.ts'
import { findTool } from '../../scripts/prepare/deployment-tools.mjs'

const folder = mkdtempSync(join(tmpdir(), 'parley-proxies-'))
const own = (name: string) => readFileSync(new URL(`./${name}`, import.meta.url), 'utf8')
const closing: (() => Promise<unknown> | unknown)[] = []
let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

/** What is to be replaced has to be there: otherwise the file changed and the test would try another one. */
const replaced = (whole: string, of: readonly (readonly [string | RegExp, string])[]) =>
  of.reduce((before, [what, by]) => {
    const after = before.replaceAll(typeof what === 'string' ? what : new RegExp(what, 'g'), by)
    if (after === before) throw new Error(`The file does not say ${what}.`)
    return after
  }, whole)

const upstream = () => new URL(server.server.url).host

const proxies = {
  nginx(port: number) {
    const home = join(folder, 'nginx')
    mkdirSync(home)
    const site = replaced(own('nginx.conf'), [
      ['127.0.0.1:4500', upstream()],
      ['listen 8443', `listen 127.0.0.1:${port}`],
      ['/var/log/nginx/parley.log', join(home, 'access.log')],
    ])
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${home}/${name};`,
    )
    const file = join(home, 'nginx.conf')
    writeFileSync(file, `daemon off; pid ${home}/pid; events {} http { ${paths.join(' ')}\n${site}\n}`)
    return { command: findTool('nginx'), args: ['-p', home, '-c', file, '-e', join(home, 'error.log')], noticed: [] }
  },
  haproxy(port: number, dead: number) {
    const file = join(folder, 'haproxy.cfg')
    const config = replaced(own('haproxy.cfg'), [
      // What a test may open.
      ['maxconn 60000', 'maxconn 100'],
      ['bind :4500', `bind 127.0.0.1:${port}`],
      ['node-1:4500', upstream()],
      // Nobody is there.
      ['node-2:4500', `127.0.0.1:${dead}`],
      ['node-3:4500', `127.0.0.1:${dead}`],
      [' resolvers container init-addr last,libc,none', ''],
    ])
    writeFileSync(file, config)
    const noticed = [/node-2 is DOWN/, /node-3 is DOWN/]
    return { command: findTool('haproxy'), args: ['-db', '-f', file], noticed }
  },
  caddy(port: number) {
    const file = join(folder, 'Caddyfile')
    const site = replaced(own('Caddyfile'), [
      ['chat.example {', `http://127.0.0.1:${port} {`],
      ['127.0.0.1:4500', upstream()],
    ])
    writeFileSync(file, `{\n admin off\n auto_https off\n}\n${site}`)
    return { command: findTool('caddy'), args: ['run', '--adapter', 'caddyfile', '--config', file], noticed: [] }
  },
}

describe.each(Object.keys(proxies) as (keyof typeof proxies)[])('behind %s', (name) => {
  it('people sign in, talk, and hear each other on sockets', async () => {
    const [port, dead] = [await freePort(), await freePort()]
    const { command, args, noticed } = proxies[name](port, dead)
    if (command === undefined) throw new Error(`There is no ${name}. Run npm test, which installs it.`)
    const proxy = startProcess({ command, args, env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder } })
    closing.push(() => proxy.terminate())
    const url = `http://127.0.0.1:${port}`
    const isReady = async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status
    await expect.poll(isReady, { timeout: 15_000, interval: 50 }).toBe(200)
    for (const line of noticed) await proxy.line(line)

    const through = { ...server.server, websocketUrl: url.replace('http', 'ws') }
    const [alice, ben] = await Promise.all(
      ['alice', 'ben'].map(async (user) => Person.connect(through, await server.signIn(`${user}-${name}`))),
    )
    const { id: conversation } = await alice!.create('create-conversation', {
      participants: [`ben-${name}`],
      distinct: false,
    })
    await alice!.create('send-message', { conversation, parts: text('Through the proxy') })
    const heard = await ben!.hear('change', (frame) => JSON.stringify(frame).includes('Through the proxy'))
    expect(heard).toBeDefined()
    for (const person of [alice!, ben!]) person.close()
  })
})
