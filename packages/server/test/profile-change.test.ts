import type { UserId, Uuid } from '@parley/protocol'
import { expect, it } from 'vitest'
import { createConversation } from '../src/operations/create-conversation.ts'
import type { Writes } from '../src/store/store.ts'
import { assembleInMemory } from './in-memory.ts'

const red = '00000000-0000-7000-8000-0000000000aa' as Uuid

it('STR-6 a changed name and the rows that show it are one commit, so that no crash comes between', async () => {
  const commits: Writes[] = []
  const { edge, signIn } = await assembleInMemory((writes) => void commits.push(writes))
  const { session } = await signIn('alice', 'Alice')
  await edge.lane.submit({
    operation: createConversation,
    input: { id: red, participants: ['ben' as UserId], distinct: false },
    app: session.app,
    userId: session.userId,
  })
  commits.length = 0
  await signIn('alice', 'Alice the Great')
  const change = commits.find(({ people }) => people.some(({ profile }) => profile.displayName === 'Alice the Great'))
  expect(change?.participants).toMatchObject([{ conversation: red, userId: 'alice', sequence: 4 }])
  expect(change?.sessions).toHaveLength(1)
  const page = await edge.store.streams.conversation(session.app, red, 'ben' as UserId, 3, 10)
  expect(page?.rows).toMatchObject([{ type: 'participant', profile: { displayName: 'Alice the Great' } }])
})

it('an unchanged name moves nothing', async () => {
  const commits: Writes[] = []
  const { signIn } = await assembleInMemory((writes) => void commits.push(writes))
  await signIn('alice', 'Alice')
  await signIn('alice', 'Alice')
  expect(
    commits.map(({ sessions, people, participants }) => [sessions.length, people.length, participants.length]),
  ).toEqual([
    [1, 1, 0],
    [1, 0, 0],
  ])
})
