import type { UserId, Uuid } from '@parley/protocol'
import { utf8Length } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { newProfile } from '../model/profile.ts'
import type { AppKey, MessageRecord, ParticipantRecord } from '../model/state.ts'
import { decodeBatch, encodeBatch, splitBatches } from './batch-text.ts'
import { type Channel, MAX_PAYLOAD_BYTES } from './bus.ts'
import {
  type Commit,
  type CommitHint,
  commitWords,
  MAX_NAMED_AUDIENCE,
  MAX_ROWS_BYTES,
  type NodeMessage,
} from './messages.ts'
import { Seal } from './seal.ts'
import { inWords } from './words.ts'

const ada = 'ada' as UserId
const ben = 'ben' as UserId
const chat = '00000000-0000-4000-8000-000000000001' as Uuid
const life = { node: 'node-1', incarnation: 1_800_000_000_000 }
const T = 1_800_000_000_000

const participant = (userId: UserId, sequence: number, inboxSequence = 0): ParticipantRecord => ({
  ...{ userId, state: 'joined', order: 1, joinedAt: T, absent: [], delivered: [1, 7], read: [1, 3, 5, 5] },
  ...{ hidden: [], lastPosition: null, sequence, inboxSequence, changedAt: T },
})

const message = (body: string, sequence = 8): MessageRecord => ({
  id: '00000000-0000-4000-8000-00000000000a' as Uuid,
  ...{ conversation: chat, position: 3, sender: ada, sentAt: T, deletedAt: null },
  parts: [
    { mime_type: 'text/plain', body },
    { mime_type: 'image/png', body: 'AAAA', encoding: 'base64' },
  ],
  ...{ sequence, firstSequence: sequence, changedAt: T },
})

const basic = (userId: UserId) => ({ userId, displayName: 'Ada', avatarUrl: null })

const commit = (over: Partial<Commit> = {}, body = 'Hello'): Commit => ({
  app: 1 as AppKey,
  actor: ada,
  operation: 'send-message',
  input: { id: 'x', parts: [] },
  cursor: 77,
  at: T,
  moves: [
    {
      stream: 'conversation',
      conversation: { id: chat },
      after: 6,
      sequence: 8,
      audience: [ada, ben],
      rows: [
        {
          type: 'participant',
          record: participant(ben, 7),
          profile: newProfile(ben, T),
          before: participant(ben, 2),
        },
        { type: 'message', record: message(body), sender: basic(ada) },
      ],
    },
    {
      ...{ stream: 'inbox', userId: ben, after: 0, sequence: 1 },
      rows: [{ conversation: chat, record: participant(ben, 7, 1) }],
    },
  ],
  ...over,
})

const commitHint = (of: Commit) => JSON.parse(commitWords(of).head) as CommitHint
const there = (messages: readonly unknown[]) => decodeBatch(encodeBatch(life, 5, messages.map(inWords)))

describe('a batch', () => {
  it('says the same there as here', () => {
    const others: NodeMessage[] = [
      { type: 'typing', app: 1 as AppKey, conversation: chat, sender: ada, action: 'paused', audience: null },
      { type: 'person', app: 1 as AppKey, userId: ada, isHere: true, status: 'busy', at: T },
      { type: 'everybody', part: 0, isLast: true, people: [] },
      { type: 'who-is-there', of: life },
      { type: 'session-ended', session: chat, at: T },
      { type: 'session-renewed', session: chat, expiresAt: T },
      { type: 'sessions-ended', app: 1 as AppKey, userId: ada, at: T },
      { type: 'beat', heads: { 'changes.0': 12 } },
      {
        type: 'beat',
        heads: {},
        to: { b: { said: 3, known: { of: life, number: 4, reachesMs: 1_000 } }, c: { said: 0 } },
      },
      { type: 'known', of: life, number: 4, reachesMs: 0 },
      { type: 'leaving' },
      { type: 'held-for-dead', dead: life },
    ]
    const messages = [commitHint(commit()), commitHint(commit({ operation: 'delete-message' })), ...others]
    expect(there(messages)).toEqual({ ...life, number: 5, messages, unknown: 0, malformed: 0 })
  })

  it('is split so that each part fits, in the order it was said, each message once', () => {
    const messages = Array.from({ length: 2_000 }, (_, i) => ({
      head: JSON.stringify({ i, text: 'é'.repeat(200 + (i % 7)) }),
      body: ['é'.repeat(150), 'é'.repeat(50)],
    }))
    const batches = splitBatches(messages, utf8Length)
    expect(batches.flat()).toEqual(messages)
    expect(batches.length).toBeGreaterThan(2)
    expect(batches.length).toBeLessThan(6)
    const seal = new Seal('secret')
    for (const batch of batches) {
      const payload = seal.seal('changes.0', encodeBatch(life, 2 ** 50, batch))
      expect(payload.length).toBeLessThanOrEqual(MAX_PAYLOAD_BYTES)
    }
  })

  it('leaves out what fits into none', () => {
    const [one, two] = [inWords(1), inWords(2)]
    const long = 'x'.repeat(MAX_PAYLOAD_BYTES)
    expect(splitBatches([one, inWords(long), two, { ...two, body: [long] }], utf8Length)).toEqual([[one, two]])
    expect(splitBatches([], utf8Length)).toEqual([])
  })
})

describe('a commit', () => {
  it('travels with its rows if they are small, without them and without its input if they are not', () => {
    const small = commitHint(commit())
    expect(small.moves.every(({ rows }) => rows !== null)).toBe(true)
    const large = commitHint(commit({ operation: 'delete-message' }, 'x'.repeat(MAX_ROWS_BYTES)))
    expect(large.moves.map(({ rows }) => rows)).toEqual([null, null])
    expect(large).not.toHaveProperty('input')
    expect(JSON.stringify(large).length).toBeLessThan(1_000)
    expect(there([large])!.messages).toEqual([large])
  })

  it('says what was asked for, unless its rows say all of it', () => {
    expect(commitHint(commit())).not.toHaveProperty('input')
    const patched = commitHint(commit({ operation: 'update-conversation', input: { patch: [] } }))
    expect(patched.input).toEqual({ patch: [] })
  })

  it('says the parts of a message once, also where they were written out already', () => {
    const [move] = commit().moves
    const written = { ...message('Hello'), partsText: JSON.stringify(message('Hello').parts) }
    const rows = [{ type: 'message' as const, record: written, sender: undefined }]
    const text = encodeBatch(life, 1, [commitWords(commit({ moves: [{ ...move, rows } as Commit['moves'][number]] }))])
    expect(text.split('Hello')).toHaveLength(2)
    expect(decodeBatch(text)!.messages).toHaveLength(1)
  })

  it('of people says no more than is shown beside what they wrote', () => {
    const [move] = commit().moves
    const sender = newProfile(ada, T)
    const rows = [{ type: 'message' as const, record: message('Hello'), sender }]
    const hint = commitHint(
      commit({ operation: 'delete-message', moves: [{ ...move, rows } as Commit['moves'][number]] }),
    )
    expect(hint.moves[0]!.rows).toEqual([{ ...rows[0], sender: { userId: ada, displayName: null, avatarUrl: null } }])
  })

  it('names its audience unless it is large', () => {
    const people = Array.from({ length: MAX_NAMED_AUDIENCE + 1 }, (_, i) => `user ${i}` as UserId)
    const audienceOf = (audience: readonly UserId[]) => {
      const [move] = commit().moves
      const [hint] = commitHint(commit({ moves: [{ ...move, audience } as Commit['moves'][number]] })).moves
      return hint?.stream === 'conversation' ? hint.audience : undefined
    }
    expect(audienceOf(people.slice(1))).toEqual(people.slice(1))
    expect(audienceOf(people)).toBe(null)
  })
})

describe('old and new nodes', () => {
  it('a message of a kind not known here is skipped and counted, the others are heard', () => {
    const read = there([{ type: 'of-tomorrow', x: 1 }, { type: 'leaving' }])
    expect(read).toMatchObject({ messages: [{ type: 'leaving' }], unknown: 1, malformed: 0 })
  })

  it('what a node of the version before says is JSON alone, and its messages in a row are read from the store', () => {
    const { head } = commitWords(commit())
    const row = { type: 'run', ids: ['00000000-0000-4000-8000-00000000000a'], parts: [message('Hello').parts] }
    const [move] = commitHint(commit()).moves
    const run = JSON.stringify({ ...commitHint(commit()), moves: [{ ...move, rows: [row] }] })
    const text = encodeBatch(
      life,
      5,
      [head, run, '{"type":"leaving"}'].map((one) => ({ head: one, body: [] })),
    ).trimEnd()
    const { messages, unknown, malformed } = decodeBatch(text)!
    expect(messages).toMatchObject([commitHint(commit()), { moves: [{ rows: null }] }, { type: 'leaving' }])
    expect([unknown, malformed]).toEqual([0, 0])
  })

  it('what is said without a body such a node can read: JSON, and white space at its end', () => {
    expect(JSON.parse(encodeBatch(life, 5, [inWords({ type: 'leaving' })]))).toMatchObject({ number: 5 })
  })

  it('a member not known here is passed over', () => {
    expect(there([{ type: 'leaving', why: 'tea' }])!.messages).toEqual([{ type: 'leaving' }])
  })

  it('rows of a kind not known here are read from the store', () => {
    const hint = commitHint(commit())
    const [move, ...moves] = hint.moves
    const strange = { ...hint, moves: [{ ...move, rows: [{ type: 'poll', record: { sequence: 7 } }] }, ...moves] }
    const [heard] = there([strange])!.messages as CommitHint[]
    expect(heard!.moves[0]).toMatchObject({ after: 6, sequence: 8, rows: null })
    expect(heard!.moves[1]).toMatchObject({ rows: [{ conversation: chat }] })
  })
})

const ABYSS = `${'['.repeat(500)}${']'.repeat(500)}`

describe('33 hostile messages', () => {
  const hint = commitHint(commit())
  const [move] = hint.moves
  const withMove = (over: object) => ({ ...hint, moves: [{ ...move, ...over }] })

  it.each<[string, unknown]>([
    ['no app', { ...hint, app: undefined }],
    ['an app that is none', { ...hint, app: 0 }],
    ['an app by name', { ...hint, app: '1' }],
    ['no moves', { ...hint, moves: [] }],
    ['a sequence beyond what numbers can say', withMove({ sequence: 1e300 })],
    ['a sequence that is none', withMove({ sequence: 7.5 })],
    ['a negative start', withMove({ after: -1 })],
    ['a move backwards', withMove({ after: 9 })],
    ['rows outside their move', withMove({ sequence: 7 })],
    ['a stream of no kind', withMove({ stream: 'river' })],
    ['an id in another spelling', withMove({ id: chat.toUpperCase().replace('0', 'A') })],
    ['an audience without end', withMove({ audience: Array.from({ length: 100 }, () => 'x') })],
    ['a user id with NUL', withMove({ audience: ['a\u0000b'] })],
    ['somebody without an app', { type: 'person', userId: 'ada', isHere: true, status: null, at: 1 }],
    [
      'a status that is a novel',
      { type: 'person', app: 1, userId: 'ada', isHere: true, status: 'x'.repeat(33), at: 1 },
    ],
    ['a session that is none', { type: 'session-ended', session: '*', at: 1 }],
    ['heads that are none', { type: 'beat', heads: { 'changes.0': 'all' } }],
    ['what was asked for as an abyss', { ...hint, operation: 'update-conversation', input: JSON.parse(ABYSS) }],
  ])('%s is skipped and counted', (_, one) => {
    expect(there([one, { type: 'leaving' }])).toMatchObject({
      messages: [{ type: 'leaving' }],
      malformed: 1,
      unknown: 0,
    })
  })

  it('of rows with any member that is not as it has to be nothing is believed but that the stream moved', () => {
    const conversation = { id: chat, createdAt: T, createdBy: ada, distinctKey: null, metadata: {}, deletedAt: null }
    const whole = [
      { type: 'conversation', record: { ...conversation, sequence: 7, changedAt: T } },
      { type: 'participant', record: participant(ben, 7), profile: newProfile(ben, T), before: participant(ben, 2) },
      { type: 'message', record: message('Hello'), sender: basic(ada) },
    ]
    const rowsRead = (row: object) =>
      (there([withMove({ rows: [row] })])!.messages[0] as CommitHint | undefined)?.moves[0]?.rows
    for (const row of whole) {
      expect(rowsRead(row)).toEqual([row])
      for (const [part, value] of Object.entries(row)) {
        if (typeof value === 'string') continue
        for (const member of Object.keys(value)) {
          const bad = { ...row, [part]: { ...value, [member]: [{}] } }
          expect([part, member, rowsRead(bad) ?? null]).toEqual([part, member, null])
        }
      }
    }
  })

  it('nobody goes into an abyss', () => {
    const conversation = { id: chat, createdAt: T, createdBy: ada, distinctKey: null, deletedAt: null, sequence: 7 }
    const record = { ...conversation, changedAt: T, metadata: { deep: JSON.parse(ABYSS) } }
    const [heard] = there([withMove({ rows: [{ type: 'conversation', record }] })])!.messages as CommitHint[]
    expect(heard!.moves[0]!.rows).toBe(null)
    expect(there([{ type: 'leaving', why: JSON.parse(ABYSS) }])!.messages).toEqual([{ type: 'leaving' }])
  })

  it.each([
    ['nothing', ''],
    ['half of one', encodeBatch(life, 1, [inWords({ type: 'leaving' })]).slice(0, -2)],
    ['another shape', '[]\n'],
    ['no number', encodeBatch(life, 0, [])],
    ['no node', encodeBatch({ node: '', incarnation: 1 }, 1, [])],
    [
      'a crowd',
      encodeBatch(
        life,
        1,
        Array.from({ length: 20_001 }, () => inWords({ type: 'leaving' })),
      ),
    ],
  ])('a batch that is %s is none', (_, text) => {
    expect(decodeBatch(text)).toBe(undefined)
  })

  it('nothing inherited is taken for a kind of message', () => {
    expect(there([{ type: 'constructor' }, { type: '__proto__' }])).toMatchObject({ messages: [], unknown: 2 })
  })
})

describe('the seal', () => {
  const seal = new Seal('secret of the store')
  const text = encodeBatch(life, 1, [inWords({ type: 'leaving', word: 'é' })])
  const payload = seal.seal('nodes', text)

  it('gives back what was sealed', () => {
    expect(seal.open('nodes', payload)).toEqual({ text })
  })

  it('33 is broken by any change, by another channel and by another secret', () => {
    const changed = (at: number) => payload.map((byte, i) => (i === at ? byte ^ 1 : byte))
    for (let at = 2; at < payload.length; at++) expect(seal.open('nodes', changed(at))).toEqual({ fault: 'forged' })
    expect(seal.open('people' as Channel, payload)).toEqual({ fault: 'forged' })
    expect(new Seal('another secret').open('nodes', payload)).toEqual({ fault: 'forged' })
  })

  it('33 tells garbage, giants and other versions apart', () => {
    expect(seal.open('nodes', new Uint8Array())).toEqual({ fault: 'malformed' })
    expect(seal.open('nodes', payload.slice(0, 33))).toEqual({ fault: 'malformed' })
    expect(seal.open('nodes', new TextEncoder().encode('x'.repeat(100)))).toEqual({ fault: 'malformed' })
    expect(seal.open('nodes', new Uint8Array(MAX_PAYLOAD_BYTES + 1))).toEqual({ fault: 'oversized' })
    expect(seal.open('nodes', Uint8Array.of(0x50, 2, ...payload.slice(2)))).toEqual({ fault: 'other-version' })
  })
})
