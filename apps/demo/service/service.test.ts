import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateProviderKey } from '@parley/token'
import { checkAuthService, formatReport } from '@parley/token/conformance'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openAccounts } from './accounts.ts'
import { type AuthenticationService, startAuthenticationService } from './index.ts'
import { hashPassword, isPassword } from './password.ts'

const DEMO = 'http://127.0.0.1:5173'
const providerId = 'layer:///providers/f0e1d2c3-b4a5-4968-8776-655443322110'
const key = await generateProviderKey('ES256')

let nowMs = Date.now()
let folder: string
let service: AuthenticationService

const start = () =>
  startAuthenticationService({
    host: '127.0.0.1',
    port: 0,
    dataFile: join(folder, 'deep', 'accounts.sqlite'),
    provider: { providerId, keyId: key.keyId, privateKey: key.privateKeyPem },
    allowedOrigins: [DEMO],
    seedDevelopmentAccounts: true,
    now: () => nowMs,
  })

beforeEach(async () => {
  nowMs = Date.now()
  folder = mkdtempSync(join(tmpdir(), 'parley-service-'))
  service = await start()
})

afterEach(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})

const get = (path: string, cookie = '') => fetch(service.url + path, { headers: { cookie }, redirect: 'manual' })
const form = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(service.url + path, {
    method: 'POST',
    headers: { origin: service.url, ...headers },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  })
const askToken = (body: object, headers: Record<string, string> = {}) =>
  fetch(`${service.url}/identity-token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const cookieOf = (response: Response) => response.headers.get('set-cookie')?.split(';')[0] ?? ''
const logIn = async (user = 'alice') => cookieOf(await form('/log-in', { user, password: 'parley' }))
async function claimsOf(response: Response): Promise<Record<string, unknown>> {
  const { identity_token: token } = (await response.json()) as { identity_token: string }
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
}

describe('POST /identity-token', () => {
  test('AUTH-25 AUTH-26 answers user, password and nonce with a token that echoes the nonce', async () => {
    const response = await askToken({ user: 'alice', password: 'parley', nonce: 'n1' })
    expect(response.status).toBe(200)
    expect(await claimsOf(response)).toMatchObject({ prn: 'alice', nce: 'n1', iss: providerId, display_name: 'Alice' })
  })

  test('AUTH-21 nobody gets a token by a wrong password, an unknown name, or less', async () => {
    const attempts = [
      { user: 'alice', password: 'wrong' },
      { user: 'nobody', password: 'parley' },
      { user: 'alice' },
      { password: 'parley' },
      { user: 'alice', password: ['parley'] },
      { user: { toString: 'alice' }, password: 'parley' },
      { user: "alice' --", password: 'parley' },
      {},
    ]
    const answers = await Promise.all(attempts.map((body) => askToken({ ...body, nonce: 'n1' })))
    expect(answers.map(({ status }) => status)).toEqual(attempts.map(() => 401))
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1)
  })

  test('AUTH-19 passes every check of the conformance checker', async () => {
    const report = await checkAuthService({
      url: `${service.url}/identity-token`,
      providerId,
      publicKeys: [{ keyId: key.keyId, publicKey: key.publicKeyPem }],
      credentials: { user: 'alice', password: 'parley' },
      expectedUserId: 'alice',
      otherUserId: 'ben',
    })
    expect(
      report.checks.filter(({ verdict }) => verdict !== 'pass'),
      formatReport(report).join('\n'),
    ).toEqual([])
    expect(report.checks).toHaveLength(23)
  })

  test('ten wrong passwords shut the door for a quarter of an hour, for that name only', async () => {
    const guess = (user: string, password: string) => askToken({ user, password, nonce: `${Math.random()}` })
    const burst = await Promise.all(Array.from({ length: 30 }, () => guess('alice', 'wrong')))
    expect(burst.filter(({ status }) => status === 401)).toHaveLength(10)
    const shut = await guess(' ALICE ', 'parley')
    expect([shut.status, shut.headers.get('retry-after')]).toEqual([429, '900'])
    expect((await form('/log-in', { user: 'alice', password: 'parley' })).status).toBe(429)
    expect((await guess('ben', 'parley')).status).toBe(200)
    nowMs += 15 * 60_000
    expect((await guess('alice', 'parley')).status).toBe(200)
  })

  test('the demo page on another port may call with its cookie, a foreign page may not', async () => {
    const cookie = await logIn()
    const demo = await askToken({ nonce: 'n1' }, { cookie, origin: DEMO })
    expect(demo.headers.get('access-control-allow-origin')).toBe(DEMO)
    expect(demo.headers.get('access-control-allow-credentials')).toBe('true')
    expect(await claimsOf(demo)).toMatchObject({ prn: 'alice' })

    const foreign = await askToken({ nonce: 'n2' }, { cookie, origin: 'https://evil.example' })
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null])
    expect((await askToken({ nonce: 'n2' }, { cookie, origin: 'null' })).status).toBe(403)
    expect((await askToken({ nonce: 'n2' }, { cookie })).status).toBe(403)
    expect((await askToken({ nonce: 'n2' }, { cookie, 'x-requested-with': 'curl' })).status).toBe(200)
  })
})

describe('accounts and sessions', () => {
  test('AUTH-20 whoever signs up is logged in, and can get a token', async () => {
    const signedUp = await form('/sign-up', { user: 'Eve', display_name: 'Eve <3', password: 'correct horse' })
    expect([signedUp.status, signedUp.headers.get('location')]).toEqual([303, '/'])
    expect(signedUp.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Lax; Path=\/; Max-Age=2592000$/)
    expect(await (await get('/', cookieOf(signedUp))).text()).toContain('Hello, Eve &lt;3')
    const token = await askToken({ user: 'eve', password: 'correct horse', nonce: 'n1' })
    expect(await claimsOf(token)).toMatchObject({ prn: 'eve', display_name: 'Eve <3' })
  })

  test.each([
    ['a name that is taken', { user: 'alice' }, 409],
    ['a name with a space', { user: 'a b' }, 422],
    ['a name of 65 letters', { user: 'a'.repeat(65) }, 422],
    ['a short password', { password: 'parley' }, 422],
    ['a display name with a line break', { display_name: 'a\nb' }, 422],
  ])('sign-up refuses %s and keeps what was typed, except the password', async (_, change, status) => {
    const fields = { user: 'eve', display_name: '"Eve"', password: 'correct horse', ...change }
    const response = await form('/sign-up', fields)
    expect([response.status, response.headers.get('set-cookie')]).toEqual([status, null])
    const page = await response.text()
    expect(page).toContain('role="alert"')
    expect(page).toContain(`value="${fields.user}"`)
    expect(page).not.toContain(fields.password)
  })

  test('a wrong password and an unknown name get the same page', async () => {
    const pages = await Promise.all(
      ['alice', 'nobody'].map(async (user) => {
        const response = await form('/log-in', { user, password: 'wrong' })
        expect(response.status).toBe(401)
        return (await response.text()).replace(user, '')
      }),
    )
    expect(pages[0]).toBe(pages[1])
  })

  test('a session ends by logging out, after thirty days, and when another begins in the same browser', async () => {
    const isIn = async (cookie: string) =>
      (await askToken({ nonce: `${Math.random()}` }, { cookie, origin: DEMO })).status
    const first = await logIn()
    expect(await isIn(first)).toBe(200)
    expect((await form('/log-out', {}, { cookie: first })).headers.get('location')).toBe('/log-in')
    expect(await isIn(first)).toBe(401)

    const second = await logIn()
    const third = cookieOf(await form('/log-in', { user: 'ben', password: 'parley' }, { cookie: second }))
    expect([await isIn(second), await isIn(third)]).toEqual([401, 200])
    nowMs += 30 * 86_400_000
    expect(await isIn(third)).toBe(401)
  })

  test('accounts and sessions outlive a restart, and nothing in the file opens a door', async () => {
    const cookie = await logIn()
    await form('/sign-up', { user: 'eve', display_name: 'Eve', password: 'correct horse' })
    await service.close()
    const file = readFileSync(join(folder, 'deep', 'accounts.sqlite'), 'latin1')
    expect(file).toContain('eve')
    expect(file).not.toContain('correct horse')
    expect(file).not.toContain(cookie.split('=')[1])
    service = await start()
    expect((await get('/', cookie)).status).toBe(200)
    expect((await askToken({ user: 'eve', password: 'correct horse', nonce: 'n1' })).status).toBe(200)
  })

  test("a form posted by another site's page does nothing", async () => {
    const headers = { origin: 'https://evil.example' }
    const response = await form('/log-in', { user: 'alice', password: 'parley' }, headers)
    expect([response.status, response.headers.get('set-cookie')]).toEqual([403, null])
    const cookie = await logIn()
    expect((await form('/log-out', {}, { ...headers, cookie })).status).toBe(403)
    expect((await get('/', cookie)).status).toBe(200)
  })

  test('over HTTPS the cookie is kept to HTTPS', async () => {
    const origin = service.url.replace('http:', 'https:')
    const response = await form('/log-in', { user: 'alice', password: 'parley' }, { origin })
    expect(response.headers.get('set-cookie')).toMatch(/; Secure$/)
  })
})

describe('the pages', () => {
  test.each(['/log-in', '/sign-up'])('%s has a label for every field, and runs no script', async (path) => {
    const response = await get(path)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    const page = await response.text()
    const fields = [...page.matchAll(/<input id="(\w+)"/g)].map(([, id]) => id)
    const labels = [...page.matchAll(/<label for="(\w+)"/g)].map(([, id]) => id)
    expect(labels).toEqual(fields)
    expect(page).not.toMatch(/<script|style=| on\w+=/)
    expect(page).toContain('<html lang="en">')
  })

  test('the style knows light and dark', async () => {
    const response = await get('/style.css')
    expect(response.headers.get('content-type')).toContain('text/css')
    expect(await response.text()).toContain('prefers-color-scheme: dark')
  })

  test('strangers are sent to the log-in, and what is not there is not found', async () => {
    const home = await get('/')
    expect([home.status, home.headers.get('location')]).toEqual([303, '/log-in'])
    expect((await get('/admin')).status).toBe(404)
    expect((await fetch(`${service.url}/log-in`, { method: 'PUT' })).status).toBe(405)
    expect((await fetch(`${service.url}/log-in`, { method: 'POST', body: '{}' })).status).toBe(415)
    expect((await form('/__proto__', {})).status).toBe(405)
  })
})

describe('passwords', () => {
  test('one password has a different hash each time, and each proves it', async () => {
    const hashes = await Promise.all([hashPassword('parley', 1024), hashPassword('parley', 2048)])
    expect(hashes[0]).not.toBe(hashes[1])
    expect(await Promise.all(hashes.map((hash) => isPassword('parley', hash)))).toEqual([true, true])
    expect(await Promise.all(hashes.map((hash) => isPassword('Parley', hash)))).toEqual([false, false])
  })

  test('one letter written in two ways is one password', async () => {
    expect(await isPassword('cafe\u0301', await hashPassword('caf\u00e9', 1024))).toBe(true)
  })

  test('an unknown name takes as long to refuse as a wrong password', async () => {
    const accounts = await openAccounts(':memory:', 2 ** 13, Date.now)
    await accounts.create({ userId: 'alice', displayName: 'Alice' }, 'parley')
    const times: Record<string, number[]> = { alice: [], nobody: [] }
    for (let round = 0; round < 7; round++) {
      for (const name of ['alice', 'nobody']) {
        const startedAt = performance.now()
        await accounts.authenticate(name, 'wrong')
        times[name]!.push(performance.now() - startedAt)
      }
    }
    accounts.close()
    const median = (name: string) => times[name]!.sort((a, b) => a - b)[3]!
    expect(median('nobody')).toBeGreaterThan(median('alice') / 2)
    expect(median('nobody')).toBeLessThan(median('alice') * 2)
  })
})

test('a port that is taken is said so, and closing twice is harmless', async () => {
  const port = Number(new URL(service.url).port)
  const provider = { providerId, keyId: key.keyId, privateKey: key.privateKeyPem }
  const taken = startAuthenticationService({
    host: '127.0.0.1',
    port,
    dataFile: ':memory:',
    provider,
    allowedOrigins: [],
  })
  await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await service.close()
  await service.close()
})
