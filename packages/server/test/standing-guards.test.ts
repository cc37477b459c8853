/** What must hold of every release, whatever it brings: no default secrets, no open back doors, no insides shown. */
import { openSqliteStore, serve } from '@parley/server'
import { afterEach, expect, it } from 'vitest'
import type { RunningServer } from '../src/server.ts'
import type { Store } from '../src/store/store.ts'
import { startTestServer, type TestServer } from './support.ts'

const running: (RunningServer | TestServer)[] = []
afterEach(async () => {
  for (const one of running.splice(0)) await one.close()
})
const accept = { accept: 'application/vnd.layer+json; version=2.0' }

it('every store makes a secret of its own, of 244 random bits', async () => {
  const stores = Array.from({ length: 3 }, () => openSqliteStore(':memory:'))
  const secrets = await Promise.all(stores.map((store) => store.apps.secret()))
  const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
  for (const secret of secrets) expect(secret).toMatch(new RegExp(`^${uuid}${uuid}$`))
  expect(new Set([...secrets, ...stores.map(({ epoch }) => epoch)]).size).toBe(6)
  for (const store of stores) await store.close()
})

it('a store that was just made has no app and lets nobody in', async () => {
  const server = await serve(openSqliteStore(':memory:'), {})
  running.push(server)
  const body = JSON.stringify({ identity_token: 'a.b.c', app_id: '00000000-0000-4000-8000-000000000000' })
  const headers = { ...accept, 'content-type': 'application/json' }
  const answer = await fetch(`${server.url}/sessions`, { method: 'POST', headers, body })
  expect([answer.status, (await answer.json()).id]).toEqual([403, 'invalid_app_id'])
})

it.each([
  ...['/metrics', '/debug', '/debug/pprof', '/console', '/admin', '/status', '/info', '/env', '/heapdump', '/graphql'],
  ...['/apps', '/providers', '/keys', '/users', '/sessions', '/logs', '/config', '/config.json', '/parley.sqlite'],
  ...['/.env', '/.git/config', '/package.json', '/..%2fpackage.json', '/src/server.ts', '/swagger', '/docs'],
])('nothing is to be had at %s', async (path) => {
  const server = await serve(openSqliteStore(':memory:'), {})
  running.push(server)
  for (const headers of [accept, { accept: '*/*' }]) {
    const answer = await fetch(server.url + path, { headers })
    expect([404, 405, 406]).toContain(answer.status)
    expect((await answer.text()).length).toBeLessThan(400)
    // Nor which software, of which version, does not have it.
    for (const name of ['server', 'x-powered-by', 'via']) expect(answer.headers.get(name)).toBeNull()
  }
})

it('a bug in the store is told as an error without stack, SQL or path', async () => {
  const home = await startTestServer()
  running.push(home)
  const token = await home.signIn('alice')
  const broken = openSqliteStore(`${home.folder}/parley.sqlite`)
  const fails = () => {
    throw new Error(`SQLITE_ERROR: no such column: secret in "SELECT secret FROM messages" at ${import.meta.url}`)
  }
  const failing = (part: object) => new Proxy(part, { get: () => fails })
  const store = { ...broken, lists: failing(broken.lists), streams: failing(broken.streams) } as Store
  const logged: string[] = []
  const server = await serve(store, { log: (message, details) => logged.push(`${message} ${JSON.stringify(details)}`) })
  running.push(server)
  for (const path of [
    '/conversations',
    '/identities',
    '/identities/ben',
    '/messages/00000000-0000-4000-8000-000000000000',
  ]) {
    const headers = { ...accept, authorization: `Layer session-token="${token}"` }
    const answer = await fetch(server.url + path, { headers })
    const said = await answer.text()
    expect([path, answer.status]).toEqual([path, 500])
    expect(JSON.parse(said)).toMatchObject({ id: 'internal_server_error', code: 100 })
    expect(said).not.toMatch(/SQL|SELECT|secret|\.ts|\.js|node_modules/i)
  }
  // The operator is told all of it.
  expect(logged.join()).toContain('no such column')
})

it('what is logged is one line, whatever a stranger wrote into an address or an id', async () => {
  const home = await startTestServer()
  running.push(home)
  for (const odd of ['%0a%7b%22level%22:%22info%22%7d', '%0d%0aSet-Cookie:%20a=b', '%1b%5b2J', '%E2%80%A8x']) {
    const answer = await home.request('GET', `/identities/${odd}`, {
      token: await home.signIn(decodeURIComponent(`u${odd}`)),
    })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(JSON.stringify(answer.body)).not.toMatch(/level|Set-Cookie/)
  }
  // Nothing of it came into the log in the first place; what does goes through `jsonLine` of the CLI.
  expect(home.logged).toEqual([])
})
