import { expect, it } from 'vitest'
import { ParleyError } from '../errors.ts'
import { ReplicaError } from '../replica/replica.ts'
import { answerFrom, copyAnswer } from './messages.ts'

it('a local database that fails the owner is told in every tab as the one error class there is', () => {
  const answer = structuredClone(copyAnswer({ error: new ReplicaError('full', 'No room.') }))
  const { error } = answerFrom(answer, undefined) as { error: unknown }
  expect(error).toBeInstanceOf(ParleyError)
  expect(error).toMatchObject({ code: 'storage_full' })
})

it('what an app threw itself keeps its sentence', () => {
  const answer = structuredClone(copyAnswer({ error: new TypeError('No such page.') }))
  expect(answerFrom(answer, undefined)).toMatchObject({ error: { message: 'No such page.' } })
})
