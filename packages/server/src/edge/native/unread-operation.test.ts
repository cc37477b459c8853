import { expect, it, test } from 'vitest'
import { unreadOperationId } from './unread-operation.ts'

const id = '019b0f5e-7c1a-7c3e-9d42-1f2e3d4c5b6a'

test('92 the id of an operation is seen without reading the frame', () => {
  expect(unreadOperationId(JSON.stringify({ type: 'operation', id, name: 'send-message', input: {} }))).toBe(id)
  expect(unreadOperationId(`{"type":"operation","id":"${id}" and the rest is anything`)).toBe(id)
})

it.each([
  ['', 'nothing'],
  ['{"type":"operation","id":"', 'the beginning alone'],
  [`{"type":"operation","id":"${id}`, 'an id without an end'],
  [`{"type":"operation","id":"${id.slice(1)}"}`, 'an id that is too short'],
  [`{"type":"operation","id":"${'x'.repeat(36)}"}`, 'no UUID'],
  [`{"id":"${id}","type":"operation"}`, 'another order'],
  [`{"type":"pull","id":"${id}"}`, 'another frame'],
])('92 %j says nothing: %s', (text) => {
  expect(unreadOperationId(text)).toBeUndefined()
})
