import { type ChangeFrame, limits } from '@parley/protocol'
import { type Store, serve } from '@parley/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Person, startTestServer, type TestServer, text } from './support.ts'

const MAX = 1_001

/** Frames of a stream in which each takes up where the one before left off. */
function expectDense(frames: readonly ChangeFrame[]): void {
  for (const [index, { after, sequence, rows }] of frames.entries()) {
    if (index > 0) expect(after).toBe(frames[index - 1]!.sequence)
    expect(rows.map((row) => row.sequence)).toEqual(rows.map((_, i) => after + 1 + i))
    expect(sequence).toBe(after + rows.length)
    expect(rows.length).toBeLessThanOrEqual(limits.maxRowsPerFrame)
  }
}

describe('a conversation of a thousand', () => {
  let home: TestServer
  let alice: Person
  let ben: Person
  let id: string
  const named = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `person ${from + index}`)
  const adding = (names: readonly string[]) =>
    names.map((name) => ({
      operation: 'add' as const,
      property: 'participants',
      id: `layer:///identities/${encodeURIComponent(name)}`,
    }))
  const changesTo = (person: Person) =>
    person.heard.filter((frame): frame is ChangeFrame => frame.type === 'change' && frame.stream !== 'inbox')

  beforeAll(async () => {
    home = await startTestServer({ maxParticipants: MAX })
    alice = await home.connect('alice')
    ben = await home.connect('ben')
    ;({ id } = await alice.create('create-conversation', { participants: ['ben', ...named(0, 799)], distinct: false }))
    await alice.ask('update-conversation', { conversation: id, patch: adding(named(799, 999)) })
  })
  afterAll(() => home.close())

  it('CNV-8 is made by naming many and adding more, and is told in frames of bounded length without a gap', async () => {
    await ben.hear('change', (frame) => frame.rows.some((row) => row.sequence === 1_002 && row.type === 'participant'))
    for (const person of [alice, ben]) {
      const frames = changesTo(person)
      expectDense(frames)
      expect(frames.flatMap(({ rows }) => rows).filter((row) => row.type === 'participant')).toHaveLength(MAX)
    }
  })

  it('CNV-8 is full at what the server is set to, and says so', async () => {
    const refused = await alice.ask('update-conversation', { conversation: id, patch: adding(['one too many']) })
    expect(refused).toMatchObject({
      refusal: { id: 'invalid_property', message: `A conversation has at most ${MAX} participants.` },
    })
  })

  it('sends a message by itself, with nobody and nothing of the conversation', async () => {
    const before = changesTo(ben).length
    await alice.create('send-message', { conversation: id, parts: text('Hello, all') })
    await ben.hear('change', (frame) => frame.rows.some((row) => row.type === 'message'))
    const [frame, ...more] = changesTo(ben).slice(before)
    expect(more).toEqual([])
    expect(frame!.rows).toHaveLength(1)
    expect(JSON.stringify(frame).length).toBeLessThan(600)
  })

  it('is read as a page, and pulled in frames of bounded length', async () => {
    alice.say({ type: 'page', id: 1, conversation: id as never, before: null, limit: 10 })
    const page = await alice.hear('rows', (frame) => frame.id === 1)
    expect(page.rows.filter((row) => row.type === 'participant')).toHaveLength(MAX)
    alice.say({ type: 'pull', id: 2, streams: [{ stream: `layer:///conversations/${id}` as never, after: 0 }] })
    await alice.hear('rows', (frame) => frame.id === 2 && frame.last)
    const rows = alice.heard.flatMap((frame) => (frame.type === 'rows' && frame.id === 2 ? frame.rows : []))
    expect(rows.filter((row) => row.type === 'participant')).toHaveLength(MAX)
  })
})

it.each([0, 1, 2.5, limits.maxParticipantsAnywhere + 1])('a server cannot be set to %d participants', async (count) => {
  await expect(serve({} as Store, { maxParticipants: count })).rejects.toThrow(/from 2 to 5000, not/)
})
