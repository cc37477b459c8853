import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer, text } from '../support.ts'
import { Caller, conversationUri, identityUri } from './support/rest.ts'
import { LayerSocket } from './support/socket.ts'

const METHODS = [
  'Conversation.create',
  'Message.create',
  'Channel.create',
  'Presence.subscribe',
  'Presence.update',
  'Presence.sync',
  'Counter.read',
  'Event.replay',
  '__proto__',
  'toString',
  'constructor',
]

/** Values near to what is expected, and far from it. */
const junk = (known: readonly unknown[]) =>
  fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...known),
    fc.jsonValue({ maxDepth: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'id',
        'ids',
        'participants',
        'parts',
        'distinct',
        'metadata',
        'since',
        'from_timestamp',
        'operation',
        'property',
        'value',
        'position',
        'type',
        '__proto__',
        'toString',
      ),
      fc.oneof(fc.constantFrom(...known), fc.jsonValue({ maxDepth: 2 })),
    ),
  )

describe('whoever sends anything to Layer’s doors', () => {
  let home: TestServer
  let alice: Caller
  let known: unknown[]
  beforeAll(async () => {
    home = await startTestServer()
    alice = await Caller.signIn(home, 'alice')
    const id = await alice.start('ben')
    known = [
      ...[
        conversationUri(id),
        id,
        identityUri('ben'),
        'ben',
        [identityUri('ben')],
        text('x'),
        'all',
        '',
        null,
        true,
        -1,
        2 ** 53,
      ],
      ...[
        'set',
        'add',
        'remove',
        'delete',
        'metadata.a',
        'participants',
        'status',
        'available',
        '2020-01-01T00:00:00.000Z',
        {},
      ],
      ...[
        '\u0000',
        '\ud800',
        'layer:///identities/%',
        'x'.repeat(3_000),
        [{ operation: 'set', property: 'metadata.a', value: 'b' }],
      ],
    ]
  })
  afterAll(() => home.close())

  it('LAY-45 two thousand packets later the server answers everybody, and nothing failed in it', async () => {
    const random = fc.sample(
      fc.oneof(
        fc.record({
          type: fc.constantFrom('request', 'signal', 'change'),
          body: fc.record(
            {
              request_id: junk(['junk', 'a b']),
              method: fc.oneof(fc.constantFrom(...METHODS), junk(known)),
              object_id: junk(known),
              data: junk(known),
              type: fc.constantFrom('typing_indicator', 'x'),
              object: junk(known),
            },
            { requiredKeys: [] },
          ),
        }),
        junk(known),
      ),
      { numRuns: 2_000, seed: 7 },
    )
    // Fewer to a socket than end it: each of them answers afterwards.
    for (let start = 0; start < random.length; start += 19) {
      const socket = await LayerSocket.connect(home.server, alice.token)
      for (const packet of random.slice(start, start + 19)) socket.say(JSON.stringify(packet) ?? '')
      expect(await socket.request('Counter.read', undefined)).toMatchObject({ success: true })
      socket.close()
    }
    expect(home.logged).toEqual([])
  })

  it('LAY-19 every request gets an answer of the documented shape, and nothing failed in the server', async () => {
    const id = await alice.start('ben')
    const message = await alice.send(id, 'x')
    const places = [
      ['POST', '/conversations'],
      ['PATCH', `/conversations/${id}`],
      ['POST', `/conversations/${id}/messages`],
      ['POST', `/conversations/${id}/mark_all_read`],
      ['POST', `/messages/${message}/receipts`],
      ['POST', '/following/users'],
      ['POST', '/push_tokens'],
    ] as const
    const random = fc.sample(fc.tuple(fc.constantFrom(...places), junk(known)), { numRuns: 500, seed: 7 })
    for (const [[method, path], body] of random) {
      const answer = await alice.call(method, path, JSON.stringify(body))
      const wire = answer.body as unknown as { id: string; code: number; message: string } | undefined
      expect(answer.status, `${method} ${path} ${JSON.stringify(body)}`).toBeLessThan(500)
      if (answer.status >= 400)
        expect(wire).toMatchObject({ id: expect.any(String), code: expect.any(Number), message: expect.any(String) })
    }
    expect(home.logged).toEqual([])
  })
})
