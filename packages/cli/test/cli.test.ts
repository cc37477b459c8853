import { expect, test, vi } from 'vitest'
import { run } from '../src/run.ts'
import type { Surroundings } from '../src/surroundings.ts'

const created = {
  name: 'Zoë',
  environment: 'production',
  algorithm: 'RS256',
  appId: 'layer:///apps/staging/11111111-1111-4111-8111-111111111111',
  providerId: 'layer:///providers/22222222-2222-4222-8222-222222222222',
  keyId: 'layer:///keys/33333333-3333-4333-8333-333333333333',
  privateKeyPem: '-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n',
  publicKeyPem: '-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----\n',
}

/** Runs a command line in surroundings of our own; `asked` is what it asked of the server. */
async function cli(args: readonly string[], stand: Partial<Record<string, unknown>> = {}) {
  const out: string[] = []
  const err: string[] = []
  const asked: unknown[][] = []
  const note =
    (name: string, answer?: unknown) =>
    async (...args: unknown[]) => {
      asked.push([name, ...args])
      const result = name in stand ? stand[name] : answer
      if (result instanceof Error) throw result
      return result
    }
  const administration = {
    createApp: note('createApp', created),
    listApps: note('listApps', []),
    addKey: note('addKey', { keyId: created.keyId, privateKeyPem: created.privateKeyPem }),
    disableKey: note('disableKey'),
    revokeSessions: note('revokeSessions', 2),
    suspendApp: note('suspendApp', 3),
    resumeApp: note('resumeApp'),
    suspendUser: note('suspendUser', 1),
    resumeUser: note('resumeUser'),
    allowOrigins: note('allowOrigins'),
    close: note('close'),
  }
  const server = {
    url: 'http://127.0.0.1:4567',
    websocketUrl: 'ws://127.0.0.1:4567/websocket',
    close: note('closeServer'),
  }
  const surroundings = {
    print: (line: string) => out.push(line),
    complain: (line: string) => err.push(line),
    openAdministration: note('openAdministration', administration),
    startServer: note('startServer', server),
    migrateStore: note('migrateStore', { state: 'done', pausedMs: 42.4, server: { pid: 7, isOver: true } }),
    abandonMigration: note('abandonMigration'),
    checkAuthService: note('checkAuthService', { url: 'http://x', ok: true, checks: [] }),
    readText: note('readText', created.publicKeyPem),
    untilStopped: async () => {},
  } as unknown as Surroundings
  const code = await run(args, surroundings)
  return { code, out: out.join('\n'), err: err.join('\n'), asked, line: out[0] ?? '' }
}

test('serve prints one line of JSON, and drains when it is asked to stop', async () => {
  const { code, out, asked } = await cli(['serve', '--data', '/d', '--port', '0', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({
    url: 'http://127.0.0.1:4567',
    websocketUrl: 'ws://127.0.0.1:4567/websocket',
    port: 4567,
    pid: process.pid,
  })
  expect(asked).toEqual([
    ['startServer', { dataFolder: '/d', host: '127.0.0.1', port: 0, log: expect.any(Function) }],
    ['closeServer', { drainMs: 25_000, noticeMs: 1_000 }],
  ])
})

test('an address of PostgreSQL counts before a folder, on the command line and in the environment', async () => {
  const store = 'postgres://parley@db.example/parley'
  const served = await cli(['serve', '--data', '/d', '--store', store, '--port', '0'])
  expect(served.asked[0]).toEqual(['startServer', expect.objectContaining({ store })])
  expect(served.asked[0]![1]).not.toHaveProperty('dataFolder')
  vi.stubEnv('PARLEY_STORE', store)
  const listed = await cli(['apps', 'list', '--data', '/d'])
  vi.unstubAllEnvs()
  expect(listed.asked[0]).toEqual(['openAdministration', { store }])
})

test('serve passes on what it is told', async () => {
  const origins = ['--allow-origin', 'https://a.example', '--allow-origin', 'https://b.example']
  const { asked } = await cli([
    'serve',
    '--data',
    '/d',
    '--host',
    '::1',
    '--public-url',
    'https://chat.example',
    '--development',
    '--max-participants',
    '1000',
    ...origins,
  ])
  const allowedOrigins = ['https://a.example', 'https://b.example']
  expect(asked[0]?.[1]).toMatchObject({
    host: '::1',
    publicUrl: 'https://chat.example',
    development: true,
    maxParticipants: 1_000,
    allowedOrigins,
  })
})

test.each(['1', '5001', 'many'])('a conversation cannot have room for %s', async (count) => {
  const { code, err, asked } = await cli(['serve', '--max-participants', count])
  expect(code).not.toBe(0)
  expect(err).toContain('A conversation has room for 2 to 5000 participants.')
  expect(asked).toEqual([])
})

test('a port that is taken is told with the way out', async () => {
  const taken = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' })
  const { code, out, err } = await cli(['serve', '--port', '4500'], { startServer: taken })
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toBe('parley: Port 4500 of 127.0.0.1 is taken. Choose another with --port, or --port 0 for any free one.')
})

test('apps create prints ids and the private key, once', async () => {
  const { code, out, asked } = await cli([
    'apps',
    'create',
    '--data',
    '/d',
    '--name',
    'Zoë',
    '--environment',
    'production',
  ])
  expect(code).toBe(0)
  for (const id of [created.appId, created.providerId, created.keyId]) expect(out).toContain(id)
  expect(out.split('BEGIN PRIVATE KEY')).toHaveLength(2)
  expect(asked).toEqual([
    ['openAdministration', { dataFolder: '/d' }],
    ['createApp', { environment: 'production', algorithm: 'RS256', name: 'Zoë' }],
    ['close'],
  ])
})

test('apps create --json prints one line', async () => {
  const { out } = await cli(['apps', 'create', '--json'])
  expect(out).not.toContain('\n')
  expect(JSON.parse(out)).toEqual(created)
})

test('names cannot steer the terminal', async () => {
  const listApps = [
    { appId: created.appId, name: 'nice\u001b]0;owned\u0007 \u001b[2Japp', createdAt: '2026-11-22T00:00:00.000Z' },
  ]
  const { out } = await cli(['apps', 'list'], { listApps })
  expect(out).toContain('nice app')
  expect(out).not.toContain('\u001b')
})

test('keys add makes a pair, or takes a public key from a file', async () => {
  expect((await cli(['keys', 'add', created.appId, '--algorithm', 'ES256'])).asked[1]).toEqual([
    'addKey',
    created.appId,
    { algorithm: 'ES256' },
  ])
  const given = await cli(['keys', 'add', created.appId, '--public-key', 'mine.pem'], {
    addKey: { keyId: created.keyId },
  })
  expect(given.asked).toContainEqual(['addKey', created.appId, { publicKey: created.publicKeyPem }])
  expect(given.out).not.toContain('PRIVATE')
})

test.each([
  [['apps', 'suspend', created.appId], ['suspendApp', created.appId], 'The app is suspended; 3 live sessions ended.'],
  [['app', 'resume', created.appId], ['resumeApp', created.appId], 'The app is open again.'],
  [
    ['users', 'suspend', created.appId, 'mal\u001b[1mlory'],
    ['suspendUser', created.appId, 'mal\u001b[1mlory'],
    'mallory is suspended; 1 live session ended.',
  ],
  [['user', 'resume', created.appId, 'mallory'], ['resumeUser', created.appId, 'mallory'], 'mallory may come back.'],
  [
    ['apps', 'origins', created.appId, 'https://a.example', 'https://b.example'],
    ['allowOrigins', created.appId, ['https://a.example', 'https://b.example']],
    'Pages of https://a.example, https://b.example may connect.',
  ],
  [['apps', 'origins', created.appId], ['allowOrigins', created.appId, null], 'Pages of any origin may connect.'],
])('%j asks for it and says what is now true', async (args, asked, said) => {
  const outcome = await cli(args)
  expect([outcome.code, outcome.asked[1], outcome.out]).toEqual([0, asked, said])
})

test('keys disable and sessions revoke say what is now true', async () => {
  expect((await cli(['keys', 'disable', created.keyId])).out).toBe('The key is disabled.')
  const revoked = await cli(['sessions', 'revoke', created.appId, 'alice'])
  expect(revoked.asked[1]).toEqual(['revokeSessions', created.appId, 'alice'])
  expect(revoked.out).toBe('alice had 2 live sessions, now revoked.')
})

test('a refusal is one sentence and code 1, and the folder is closed again', async () => {
  const refusal = Object.assign(new Error('There is no app with this id.'), { code: 'not_found' })
  const { code, err, asked } = await cli(['sessions', 'revoke', 'nobody', 'alice'], { revokeSessions: refusal })
  expect({ code, err }).toEqual({ code: 1, err: 'parley: There is no app with this id.' })
  expect(asked.at(-1)).toEqual(['close'])
})

const checkArgs = ['check-auth', 'http://127.0.0.1:4501/identity-token', '--provider', created.providerId]
const checkLogin = ['--key', `${created.keyId}=public.pem`, '--credentials', '{"user":"alice","password":"parley"}']

test('check-auth asks for the token of whoever logs in', async () => {
  const { code, asked } = await cli([...checkArgs, ...checkLogin])
  expect(code).toBe(0)
  expect(asked.at(-1)?.[1]).toEqual({
    url: 'http://127.0.0.1:4501/identity-token',
    providerId: created.providerId,
    publicKeys: [{ keyId: created.keyId, publicKey: created.publicKeyPem }],
    credentials: { user: 'alice', password: 'parley' },
    expectedUserId: 'alice',
  })
})

test('check-auth ends with code 1 when something is wrong', async () => {
  const checks = [{ id: 'nonce-echo', verdict: 'fail', sentence: 'Bad \u001b[2Jecho.', howToMend: 'Copy it.' }]
  const { code, out, err } = await cli([...checkArgs, ...checkLogin], {
    checkAuthService: { url: 'http://x', ok: false, checks },
  })
  expect(code).toBe(1)
  expect(out).toContain('Bad echo.')
  expect(err).toBe('parley: This authentication service is not right yet.')
})

const moveArgs = ['migrate-store', '--data', './d', '--to', 'postgres://db/x']

test('migrate-store says how long writes waited, and how to start from now on', async () => {
  const { code, out, asked } = await cli(moveArgs)
  expect(code).toBe(0)
  expect(asked).toEqual([['migrateStore', expect.objectContaining({ dataFolder: './d', to: 'postgres://db/x' })]])
  expect(out.split('\n')).toEqual([
    'Moved: everything is in PostgreSQL.',
    'Writes waited for 0.04 s in here.',
    'The server 7 serves from there already.',
    'From now on start it with --store (or PARLEY_STORE) and the address of the database.',
  ])
})

test('migrate-store tells the first word of each step, and then no more than once a second', async () => {
  const told: string[] = []
  const surroundings = {
    print: () => undefined,
    complain: (line: string) => told.push(line),
    migrateStore: async ({ onProgress }: { onProgress(progress: object): void }) => {
      for (let done = 0; done < 50; done++) {
        onProgress({ step: 'copying', done: done * 1_000, total: 50_000, rowsPerSecond: 25_000, leftMs: 1_500 })
      }
      onProgress({ step: 'cutting over', done: 0, total: 0, rowsPerSecond: 0 })
      return { state: 'was-done' }
    },
  } as unknown as Surroundings
  expect(await run(moveArgs, surroundings)).toBe(0)
  expect(told[0]).toBe('Copying: 0 of 50,000 rows, 25,000 a second, 2 s left')
  expect(told.at(-1)).toBe('Cutting over')
  expect(told.length).toBeLessThan(50)
})

test('migrate-store --json prints its result as one line; --abandon takes it back', async () => {
  const { line } = await cli([...moveArgs, '--json'])
  expect(JSON.parse(line)).toEqual({ state: 'done', pausedMs: 42.4, server: { pid: 7, isOver: true } })
  const { asked, out } = await cli([...moveArgs, '--abandon'])
  expect(asked).toEqual([['abandonMigration', { dataFolder: './d', to: 'postgres://db/x' }]])
  expect(out).toMatch(/^Taken back/)
})

test('migrate-store that is refused ends with code 1 and the sentence', async () => {
  const { code, err } = await cli(moveArgs, { migrateStore: new Error('postgres://db/x is not empty.') })
  expect({ code, err }).toEqual({ code: 1, err: 'parley: postgres://db/x is not empty.' })
})

test.each([
  [['migrate-store']],
  [['serve', '--port', 'eighty']],
  [['serve', '--port', '65536']],
  [['apps', 'create', '--environment', 'moon']],
  [['keys', 'add']],
  [['sessions', 'revoke', 'only-an-app']],
  [['check-auth', 'http://x']],
  [[...checkArgs, '--key', 'a=b', '--credentials', '[]']],
  [['frobnicate']],
  [['serve', '--frobnicate']],
  [['apps']],
  [[]],
])('bad usage is code 2: %j', async (args) => {
  const { code, out, err, asked } = await cli(args)
  expect({ code, out, asked }).toEqual({ code: 2, out: '', asked: [] })
  expect(err).not.toBe('')
})

test('help is no error', async () => {
  const { code, out } = await cli(['--help'])
  expect(code).toBe(0)
  expect(out).toContain('check-auth')
})
