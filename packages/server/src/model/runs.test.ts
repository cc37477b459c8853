import type { UserId, Uuid } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Commit, type CommitMove, commitWords } from '../bus/messages.ts'
import { inRuns, MAX_RUN, MAX_RUN_AUDIENCE, MAX_RUN_CHARACTERS, runOf } from './runs.ts'
import type { AppKey, MessageRecord } from './state.ts'

const T = 1_800_000_000_000
const [ada, ben] = ['ada', 'ben'] as [UserId, UserId]
const chats = ['a', 'b'].map((letter) => `00000000-0000-4000-8000-00000000000${letter}` as Uuid)
const people = [ada, ben]

interface What {
  readonly chat: number
  readonly sender: UserId
  /** Something else than a message that was sent. */
  readonly isOther?: boolean
  readonly app?: AppKey
  readonly over?: Partial<MessageRecord>
}

/** Commits of one batch as a lane makes them: each moves its conversation on by one. */
function batch(whats: readonly What[]): Commit[] {
  const heads = chats.map(() => 0)
  return whats.map(({ chat, sender, isOther = false, app = 1 as AppKey, over }, index) => {
    const after = heads[chat]!++
    const id = `00000000-0000-4000-8000-${(index + 1).toString(16).padStart(12, '0')}` as Uuid
    const conversation = chats[chat]!
    const record: MessageRecord = {
      ...{ id, conversation, position: after + 1, sender, sentAt: T, deletedAt: null, changedAt: T },
      parts: [{ mime_type: 'text/plain', body: `No. ${index}` }],
      ...{ sequence: after + 1, firstSequence: isOther ? after : after + 1 },
      ...over,
    }
    const profile = { userId: sender, displayName: null, avatarUrl: null }
    const move = {
      ...{ stream: 'conversation', conversation: { id: conversation }, after, sequence: after + 1 },
      ...{ audience: people, rows: [{ type: 'message', record, sender: profile }] },
    }
    const operation = isOther ? 'delete-message' : 'send-message'
    return { app, actor: sender, operation, input: {}, cursor: 9, at: T, moves: [move as unknown as CommitMove] }
  })
}

const rowsOf = (commits: readonly Commit[], chat: Uuid) =>
  commits.flatMap(({ moves }) =>
    moves.flatMap((move) => (move.stream === 'conversation' && move.conversation.id === chat ? move.rows : [])),
  )

describe('messages sent one after the other', () => {
  it('are said at once, also if others wrote elsewhere meanwhile', () => {
    const said = inRuns(
      batch([
        { chat: 0, sender: ada },
        { chat: 1, sender: ben },
        { chat: 0, sender: ada },
        { chat: 0, sender: ada },
      ]),
    )
    expect(said.map(({ moves }) => moves[0])).toMatchObject([
      { conversation: { id: chats[0] }, after: 0, sequence: 3, rows: [{}, {}, {}] },
      { conversation: { id: chats[1] }, after: 0, sequence: 1, rows: [{}] },
    ])
  })

  it.each<[string, What, What]>([
    ['by another person', { chat: 0, sender: ada }, { chat: 0, sender: ben }],
    ['after something else', { chat: 0, sender: ada, isOther: true }, { chat: 0, sender: ada }],
    ['before something else', { chat: 0, sender: ada }, { chat: 0, sender: ada, isOther: true }],
    ['of another app', { chat: 0, sender: ada }, { chat: 0, sender: ada, app: 2 as AppKey }],
    ['at another time', { chat: 0, sender: ada }, { chat: 0, sender: ada, over: { sentAt: T + 1 } }],
    ['that is deleted already', { chat: 0, sender: ada }, { chat: 0, sender: ada, over: { deletedAt: T } }],
  ])('are not, %s', (_, one, other) => {
    const commits = batch([one, other])
    expect(inRuns(commits)).toEqual(commits)
  })

  it('are no more at once than fit', () => {
    const small = batch(Array.from({ length: 2 * MAX_RUN + 1 }, () => ({ chat: 0, sender: ada })))
    expect(inRuns(small).map(({ moves }) => moves[0]!.rows.length)).toEqual([MAX_RUN, MAX_RUN, 1])
    const parts = [{ mime_type: 'text/plain', body: 'x'.repeat(MAX_RUN_CHARACTERS / 3) }]
    const large = inRuns(batch(Array.from({ length: 5 }, () => ({ chat: 0, sender: ada, over: { parts } }))))
    expect(large.map(({ moves }) => moves[0]!.rows.length)).toEqual([2, 2, 1])
    for (const commit of large) expect(commitWords(commit).head).toContain('"rows":[{')
  })

  it('are said with their parts though together they fill all there is room for', () => {
    const parts = [{ mime_type: 'text/plain', body: 'x' }]
    const [room, each] = [MAX_RUN_CHARACTERS / 8, JSON.stringify(parts).length - 1]
    const full = [{ mime_type: 'text/plain', body: 'x'.repeat(room - each) }]
    expect(JSON.stringify(full).length * 8).toBe(MAX_RUN_CHARACTERS)
    const said = inRuns(batch(Array.from({ length: 8 }, () => ({ chat: 0, sender: ada, over: { parts: full } }))))
    expect(said.map(({ moves }) => moves[0]!.rows.length)).toEqual([7, 1])
    for (const commit of said) expect(commitWords(commit).head).toContain('"rows":[{')
  })

  it('are said one by one where those who hear of it are too many to name: together they would be too long to be said', () => {
    const many = Array.from({ length: MAX_RUN_AUDIENCE + 1 }, (_, index) => `u${index}` as UserId)
    const commits = batch(Array.from({ length: MAX_RUN }, () => ({ chat: 0, sender: ada }))).map((commit) => ({
      ...commit,
      moves: commit.moves.map((move) => ({ ...move, audience: many }) as CommitMove),
    }))
    expect(inRuns(commits)).toEqual(commits)
    for (const commit of commits) expect(commitWords(commit).head).toContain('"rows":[{')
  })

  it('leave the order of each conversation, lose nothing and change nothing that was given', () => {
    const what = fc.record({
      chat: fc.nat({ max: 1 }),
      sender: fc.constantFrom(ada, ben),
      isOther: fc.nat({ max: 4 }).map((one) => one === 0),
    })
    fc.assert(
      fc.property(fc.array(what, { maxLength: 40 }), (whats) => {
        const commits = batch(whats)
        const before = structuredClone(commits)
        const said = inRuns(commits)
        expect(commits).toEqual(before)
        for (const chat of chats) {
          expect(rowsOf(said, chat)).toEqual(rowsOf(commits, chat))
          let reached = 0
          for (const { moves } of said) {
            const [move] = moves as [Extract<CommitMove, { stream: 'conversation' }>]
            if (move.conversation.id !== chat) continue
            expect(move.after).toBe(reached)
            reached = move.sequence
          }
        }
        for (const commit of said) if (commit.moves[0]!.rows.length > 1) expect(runOf(commit)).toBeDefined()
      }),
    )
  })
})
