import type { UserId, Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { newProfile } from '../model/profile.ts'
import { inRuns, MAX_RUN, type MessageRow } from '../model/runs.ts'
import type { AppKey, BasicProfile, MessageRecord } from '../model/state.ts'
import { decodeBatch, encodeBatch } from './batch-text.ts'
import { type Commit, type CommitHint, commitWords, MAX_NAMED_AUDIENCE, MAX_ROWS_BYTES } from './messages.ts'
import { sentWords } from './sent-text.ts'
import { inWords, type Words } from './words.ts'

const ada = `a"\\b*c~d'e f/😀` as UserId
const ben = 'ben' as UserId
const chat = '00000000-0000-4000-8000-000000000001' as Uuid
const life = { node: 'node-1', incarnation: 1 }
const T = 1_800_000_000_000

const message = (over: Partial<MessageRecord> = {}): MessageRecord => ({
  id: '00000000-0000-4000-8000-00000000000a' as Uuid,
  ...{ conversation: chat, position: 3, sender: ada, sentAt: T - 1, deletedAt: null },
  parts: [{ mime_type: 'text/plain', body: 'Hello "there"\u2028\u0000' }],
  ...{ sequence: 8, firstSequence: 8, changedAt: T },
  ...over,
})

const named: BasicProfile = { userId: ada, displayName: 'Ada "the first"', avatarUrl: 'https://a.example/ada.png' }

type Sent = Extract<Commit['moves'][number], { stream: 'conversation' }>
const sent = (record = message(), sender: BasicProfile | undefined = named, over: Partial<Sent> = {}): Commit => ({
  ...{ app: 1 as AppKey, actor: ada, operation: 'send-message', input: { id: 'x' }, cursor: 77, at: T },
  moves: [
    {
      ...{ stream: 'conversation', conversation: { id: chat }, after: 7, sequence: 8, audience: [ada, ben] },
      rows: [{ type: 'message', record, sender: sender as never }],
      ...over,
    },
  ],
})

const heardOf = (...words: Words[]) => decodeBatch(encodeBatch(life, 1, words))!
const messagesIn = ({ moves }: CommitHint) => moves[0]!.rows as readonly MessageRow[]
/** With its parts read. */
const asRecord = ({ record, sender, type }: MessageRow): MessageRow => {
  const { partsText: _, ...rest } = { ...record, parts: record.parts }
  return { type, record: rest, sender }
}

describe('the text of messages that were sent', () => {
  it.each<[string, MessageRecord, BasicProfile | undefined]>([
    ['with a name', message(), named],
    ['without one', message(), { userId: ada, displayName: null, avatarUrl: null }],
    ['by somebody of whom nothing is known', message(), undefined],
    [
      'of several parts',
      message({ parts: [{ mime_type: 'a/b', body: 'AAAA', encoding: 'base64' }, ...message().parts] }),
      named,
    ],
  ])('says the same there as here: %s', (_, record, sender) => {
    const commit = sent(record, sender)
    if (sender === undefined) (commit.moves[0]!.rows[0] as { sender: unknown }).sender = undefined
    expect(heardOf(commitWords(commit))).toMatchObject({ malformed: 0, unknown: 0 })
    const [heard] = heardOf(commitWords(commit)).messages as CommitHint[]
    const { input: _input, moves, ...rest } = commit
    const [{ conversation, ...move }] = moves as [Sent]
    const whole = { type: 'committed', ...rest, moves: [{ ...move, id: conversation.id, rows: expect.anything() }] }
    expect(heard).toEqual(whole)
    expect(messagesIn(heard!).map(asRecord)).toEqual(move.rows)
  })

  it('says the parts as they were written out, and of people no more than is shown', () => {
    const words = sentWords(
      sent(message({ partsText: '[ ]' }), { ...newProfile(ada, T), emailAddress: 'a@b.example' } as never),
    )!
    expect(words.body).toEqual(['[ ]'])
    expect(words.head).not.toContain('a@b.example')
    const [heard] = heardOf(words).messages as CommitHint[]
    expect(messagesIn(heard!)[0]!.record).toMatchObject({ partsText: '[ ]', parts: [] })
  })

  it.each<[string, Commit]>([
    ['a message that was changed', sent(message({ sequence: 8, firstSequence: 5 }))],
    ['a message that is deleted', sent(message({ deletedAt: T }))],
    ['another operation', { ...sent(), operation: 'delete-message' }],
    ['two moves', { ...sent(), moves: [...sent().moves, { ...sent().moves[0]!, rows: [] }] }],
    ['an audience without end', sent(message(), named, { audience: Array(MAX_NAMED_AUDIENCE + 1).fill(ben) })],
    ['what is large', sent(message({ parts: [{ mime_type: 'a/b', body: 'x'.repeat(MAX_ROWS_BYTES) }] }))],
  ])('is not for %s, which is said as any commit is', (_, commit) => {
    expect(sentWords(commit)).toBe(undefined)
    expect(heardOf(commitWords(commit))).toMatchObject({ malformed: 0, unknown: 0, messages: [{ type: 'committed' }] })
  })

  it('says a run at once, and hears of each message what was said', () => {
    const run = Array.from({ length: MAX_RUN }, (_, index) => {
      const [position, sequence] = [3 + index, 8 + index]
      const id = `00000000-0000-4000-8000-0000000000${(10 + index).toString(16).padStart(2, '0')}` as Uuid
      const parts = [{ mime_type: 'text/plain', body: `No. ${index}, "that is"` }]
      return sent(message({ id, parts, position, sequence, firstSequence: sequence }), named, {
        after: sequence - 1,
        sequence,
      })
    })
    const [one, ...none] = inRuns(run)
    expect(none).toEqual([])
    const [heard] = heardOf(commitWords(one!)).messages as CommitHint[]
    expect(heard!.moves).toMatchObject([
      { stream: 'conversation', id: chat, after: 7, sequence: 7 + MAX_RUN, audience: [ada, ben] },
    ])
    expect(messagesIn(heard!).map(asRecord)).toEqual(run.map(({ moves }) => moves[0]!.rows[0]))
    const alone = run.map((commit) => encodeBatch(life, 1, [commitWords(commit)]).length)
    const together = encodeBatch(life, 1, [commitWords(one!)]).length
    expect(together).toBeLessThan(alone.reduce((sum, length) => sum + length) / 2)
  })

  it('keeps each to its own parts, among others and in a script of any kind', () => {
    const bodies = ['\n', '😀', 'é'.repeat(300), '{"type":"committed"}\n[]']
    const all = bodies.map((body) => sent(message({ parts: [{ mime_type: 'text/plain', body }] })))
    const leaving = inWords({ type: 'leaving' })
    const { messages } = heardOf(...all.flatMap((commit) => [leaving, commitWords(commit)]))
    const heard = messages.filter((one): one is CommitHint => one.type === 'committed')
    expect(heard.map((one) => messagesIn(one)[0]!.record.parts[0]!.body)).toEqual(bodies)
    expect(messages).toHaveLength(2 * bodies.length)
  })

  it('33 with any member that is not as it has to be says no more than that the stream moved, and takes no parts of others', () => {
    const words = sentWords(sent())!
    const said = JSON.parse(words.head)
    const [row] = said.moves[0].rows
    const rowsOf = (rows: unknown, body: readonly string[] = words.body) => {
      const head = { ...said, moves: [{ ...said.moves[0], rows }], body: body.join('').length }
      const { messages } = heardOf({ head: JSON.stringify(head), body }, words)
      expect(messagesIn(messages.at(-1) as CommitHint).map(asRecord)).toEqual(sent().moves[0]!.rows)
      return messages.length === 1 ? null : (messages as CommitHint[])[0]!.moves[0]!.rows
    }
    expect(rowsOf([row])).toHaveLength(1)
    for (const member of Object.keys(row)) {
      expect([member, rowsOf([{ ...row, [member]: [{}] }])]).toEqual([member, null])
    }
    expect(rowsOf([{ ...row, sequence: 9 }])).toBe(null)
    expect(rowsOf([{ ...row, type: 'sent-tomorrow' }])).toBe(null)
    const [parts] = words.body as [string]
    const { ids, lengths } = row
    expect(rowsOf([{ ...row, ids: [], lengths: [] }], [])).toBe(null)
    expect(rowsOf([{ ...row, ids: [...ids, ...ids] }])).toBe(null)
    expect(rowsOf([{ ...row, ids: [...ids, ''] }])).toBe(null)
    // Longer than what came, in the middle of it, and what is no list.
    expect(rowsOf([{ ...row, lengths: [parts.length + 1] }])).toBe(null)
    expect(rowsOf([{ ...row, lengths: [parts.length - 1] }])).toBe(null)
    expect(rowsOf([{ ...row, lengths: [2] }], ['{}'])).toBe(null)
    // Of two messages the second lies beyond where the stream is said to have moved.
    expect(rowsOf([{ ...row, ids: [...ids, ...ids], lengths: [...lengths, ...lengths] }], [parts, parts])).toBe(null)
    const tooMany = Array(MAX_RUN + 1).fill(0)
    const long = { ids: tooMany.map(() => ids[0]), lengths: tooMany.map(() => parts.length) }
    expect(
      rowsOf(
        [{ ...row, ...long }],
        tooMany.map(() => parts),
      ),
    ).toBe(null)
  })

  it('33 that says it has a body and brings none is skipped and counted', () => {
    const { head } = sentWords(sent())!
    expect(heardOf({ head, body: [] })).toMatchObject({ messages: [], malformed: 1 })
  })

  it('33 of which the parts are none, though they look like some, is told to nobody who reads them', () => {
    const words = sentWords(sent(message({ partsText: '[{"body":5}]' })))!
    const [heard] = heardOf(words).messages as CommitHint[]
    expect(() => messagesIn(heard!)[0]!.record.parts).toThrow(
      'Another server told of parts of message 00000000-0000-4000-8000-00000000000a that are none.',
    )
  })
})
