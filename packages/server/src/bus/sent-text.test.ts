import type { UserId, Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { newProfile } from '../model/profile.ts'
import type { AppKey, BasicProfile, MessageRecord } from '../model/state.ts'
import {
  type Commit,
  type CommitHint,
  commitText,
  decodeBatch,
  encodeBatch,
  MAX_NAMED_AUDIENCE,
  MAX_ROWS_BYTES,
} from './messages.ts'
import { inRuns, MAX_RUN } from './runs.ts'
import { sentText } from './sent-text.ts'

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

const heardOf = (...texts: string[]) => decodeBatch(encodeBatch(life, 1, texts))!

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
    expect(heardOf(commitText(commit))).toMatchObject({ malformed: 0, unknown: 0 })
    const [heard] = heardOf(commitText(commit)).messages as CommitHint[]
    const { input: _input, moves, ...rest } = commit
    const [{ conversation, ...move }] = moves as [Sent]
    expect(heard).toEqual({ type: 'committed', ...rest, moves: [{ ...move, id: conversation.id }] })
  })

  it('says the parts as they were written out, and of people no more than is shown', () => {
    const text = sentText(
      sent(message({ partsText: '[ ]' }), { ...newProfile(ada, T), emailAddress: 'a@b.example' } as never),
    )
    expect(text).toContain('"parts":[[ ]]')
    expect(text).not.toContain('a@b.example')
  })

  it.each<[string, Commit]>([
    ['a message that was changed', sent(message({ sequence: 8, firstSequence: 5 }))],
    ['a message that is deleted', sent(message({ deletedAt: T }))],
    ['another operation', { ...sent(), operation: 'delete-message' }],
    ['two moves', { ...sent(), moves: [...sent().moves, { ...sent().moves[0]!, rows: [] }] }],
    ['an audience without end', sent(message(), named, { audience: Array(MAX_NAMED_AUDIENCE + 1).fill(ben) })],
    ['what is large', sent(message({ parts: [{ mime_type: 'a/b', body: 'x'.repeat(MAX_ROWS_BYTES) }] }))],
  ])('is not for %s, which is said as any commit is', (_, commit) => {
    expect(sentText(commit)).toBe(undefined)
    expect(heardOf(commitText(commit))).toMatchObject({ malformed: 0, unknown: 0, messages: [{ type: 'committed' }] })
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
    const [heard] = heardOf(commitText(one!)).messages as CommitHint[]
    const rows = run.map(({ moves }) => moves[0]!.rows[0])
    expect(heard!.moves).toEqual([
      { stream: 'conversation', id: chat, after: 7, sequence: 7 + MAX_RUN, audience: [ada, ben], rows },
    ])
    const alone = run.map((commit) => commitText(commit).length).reduce((sum, length) => sum + length)
    expect(sentText(one!)!.length).toBeLessThan(alone / 2)
  })

  it('33 with any member that is not as it has to be says no more than that the stream moved', () => {
    const said = JSON.parse(sentText(sent())!)
    const [row] = said.moves[0].rows
    const rowsOf = (rows: unknown) =>
      (heardOf(JSON.stringify({ ...said, moves: [{ ...said.moves[0], rows }] })).messages[0] as CommitHint | undefined)
        ?.moves[0]?.rows ?? null
    expect(rowsOf([row])).toHaveLength(1)
    for (const member of Object.keys(row)) {
      expect([member, rowsOf([{ ...row, [member]: [{}] }])]).toEqual([member, null])
    }
    expect(rowsOf([{ ...row, sequence: 9 }])).toBe(null)
    expect(rowsOf([{ ...row, type: 'sent-tomorrow' }])).toBe(null)
    const [id, parts] = [row.ids[0], row.parts[0]]
    expect(rowsOf([{ ...row, ids: [], parts: [] }])).toBe(null)
    expect(rowsOf([{ ...row, ids: [id, id] }])).toBe(null)
    // Of two messages the second lies beyond where the stream is said to have moved.
    expect(rowsOf([{ ...row, ids: [id, id], parts: [parts, parts] }])).toBe(null)
    const tooMany = MAX_RUN + 1
    expect(rowsOf([{ ...row, ids: Array(tooMany).fill(id), parts: Array(tooMany).fill(parts) }])).toBe(null)
  })
})
