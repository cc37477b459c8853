import type { UserId, Uuid } from '@parley/protocol'
import { expect, it } from 'vitest'
import type { AppKey } from '../model/state.ts'
import type { Committed } from './committed.ts'
import { Unheard } from './unheard.ts'

const ONE = 1 as AppKey
const chat = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Uuid

function server(...here: string[]) {
  const present = new Set(here)
  const forgotten: string[] = []
  const unheard = new Unheard({
    maxAudience: 3,
    isListening: (_app, userId) => present.has(userId),
    forget: ({ conversations, people }) =>
      forgotten.push(...conversations.map(({ id }) => `chat ${Number(id.slice(-4))}`), ...people),
  })
  const commit = (n: number, actor: string, ...audience: string[]) => {
    const move = { stream: 'conversation', conversation: { id: chat(n) }, audience }
    unheard.committed([{ app: ONE, actor, moves: [move] } as unknown as Committed])
    return forgotten.splice(0)
  }
  const leave = (userId: string) => {
    present.delete(userId)
    unheard.listening(ONE, userId as UserId, false)
    return forgotten.splice(0)
  }
  return { commit, leave }
}

it('what was written to by somebody who is not connected here is forgotten unless somebody else in it is', () => {
  const { commit } = server('ben')
  expect(commit(1, 'ada', 'ada', 'cleo')).toEqual(['ada', 'chat 1'])
  expect(commit(2, 'ada', 'ada', 'ben')).toEqual(['ada'])
  expect(commit(3, 'ben', 'ada', 'ben')).toEqual([])
  // Of large ones all servers hear.
  expect(commit(4, 'ben', 'ada', 'cleo', 'dora', 'eve')).toEqual([])
})

it('whoever goes is forgotten, and what was written lately where they are in', () => {
  const { commit, leave } = server('ada', 'ben')
  for (const n of [1, 2, 2, 1]) commit(n, 'ben', 'ada', 'ben')
  expect(leave('ada')).toEqual(['chat 1', 'chat 2', 'ada'])
  expect(leave('ada')).toEqual(['ada'])
  for (let n = 10; n < 30; n++) commit(n, 'ben', 'ben')
  expect(leave('ben')).toHaveLength(17)
})
