import { type ConversationId, type IdentityId, limits, type Uuid } from '@parley/protocol'
import { expect, it } from 'vitest'
import { createMemoryStorage } from '../replica/memory/index.ts'
import type { OutboxEntry } from '../replica/replica.ts'
import { createConversation } from './create-conversation.ts'
import { deleteConversation, leaveConversation } from './delete-conversation.ts'
import { deleteMessage } from './delete-message.ts'
import { findDistinct } from './find-distinct.ts'
import { markRead } from './mark-messages.ts'
import { sendMessage } from './send-message.ts'
import { changeParticipants, deleteMetadata, setMetadata } from './update-conversation.ts'

const uuid = '00000000-0000-7000-8000-000000000001' as Uuid
const newUuid = () => uuid
const me = 'layer:///identities/me' as IdentityId
const red = 'layer:///conversations/00000000-0000-7000-8000-0000000000aa' as ConversationId
const text = (body: string) => [{ mime_type: 'text/plain', body }]
const invalid = expect.objectContaining({ code: 'invalid' })
const tooLarge = expect.objectContaining({ code: 'too_large' })

it('OPR-1 the id of what is created is the id of its operation', () => {
  const { id, draft } = sendMessage(red, text('hi'), {}, newUuid)
  expect(id).toBe(`layer:///messages/${uuid}`)
  expect(draft).toMatchObject({ id: uuid, conversation: red, input: { id } })
  const create = createConversation({ participants: ['ben', 'me', 'ben'] }, me, newUuid)
  expect(create).toMatchObject({
    id: uuid,
    conversation: `layer:///conversations/${uuid}`,
    input: { participants: ['layer:///identities/ben'], distinct: true },
  })
})

it('QUEUE-1 a message the server would refuse is refused before it is stored', () => {
  const send = (parts: Parameters<typeof sendMessage>[1]) => () => sendMessage(red, parts, {}, newUuid)
  expect(send([])).toThrow(invalid)
  expect(send(text('a\u0000b'))).toThrow(invalid)
  expect(send(text('\ud800'))).toThrow(invalid)
  expect(send([{ mime_type: 'nonsense', body: '' }])).toThrow(invalid)
  expect(send([{ mime_type: 'image/png', body: 'not base64!', encoding: 'base64' }])).toThrow(invalid)
  expect(send(text('x'.repeat(limits.maxInlinePartBytes + 1)))).toThrow(tooLarge)
  expect(send(Array.from({ length: 40 }, () => text('x'.repeat(2_000))[0]!))).toThrow(tooLarge)
  expect(send(Array.from({ length: limits.maxParts + 1 }, () => text('x')[0]!))).toThrow(invalid)
  expect(send(text('x'.repeat(limits.maxInlinePartBytes)))).not.toThrow()
})

it('QUEUE-1 a conversation has bounds', () => {
  const create = (options: Parameters<typeof createConversation>[0]) => () => createConversation(options, me, newUuid)
  expect(create({ participants: Array.from({ length: 5_000 }, (_, i) => `p${i}`) })).toThrow(invalid)
  // What a server allows is its own setting: whatever any of them could allow is asked for.
  expect(create({ participants: Array.from({ length: 1_000 }, (_, i) => `p${i}`) })).not.toThrow()
  expect(create({ participants: [''] })).toThrow(invalid)
  expect(create({ participants: [], metadata: { 'bad key': 'x' } })).toThrow(invalid)
})

it('QUEUE-1 metadata is set and deleted by path', () => {
  expect(setMetadata(red, { 'colour.background': 'red' }, newUuid).input).toEqual({
    conversation: red,
    patch: [{ operation: 'set', property: 'metadata.colour.background', value: 'red' }],
  })
  expect(deleteMetadata(red, ['a', 'b.c'], newUuid).input).toMatchObject({
    patch: [
      { operation: 'delete', property: 'metadata.a' },
      { operation: 'delete', property: 'metadata.b.c' },
    ],
  })
  expect(() => setMetadata(red, { __proto__x: 'fine', '': 'x' }, newUuid)).toThrow(invalid)
  expect(() => setMetadata(red, {}, newUuid)).toThrow(invalid)
})

it('QUEUE-4 participants, marks and deletions become operations', () => {
  expect(changeParticipants(red, 'add', ['ben'], newUuid).input).toMatchObject({
    patch: [{ operation: 'add', property: 'participants', id: 'layer:///identities/ben' }],
  })
  expect(markRead(red, 7, newUuid).input).toEqual({ conversation: red, receipt: 'read', position: 7 })
  expect(() => markRead(red, 0.5, newUuid)).toThrow(invalid)
  expect(leaveConversation(red, newUuid).input).toMatchObject({ mode: 'my_devices', leave: true })
  expect(deleteConversation(red, 'all_participants', newUuid).input).toMatchObject({ mode: 'all_participants' })
  expect(() => deleteMessage(red, 'no id', 'my_devices', newUuid)).toThrow(invalid)
})

it('DIST-2 what this device knows, or is about to make, is found; what changed is not', async () => {
  const replica = await createMemoryStorage().open('app')
  const create = createConversation({ participants: ['ben'] }, me, newUuid)
  const waiting = { ...create, order: 1, identity: me, state: { state: 'waiting' } } as unknown as OutboxEntry
  const people = new Set([me, 'layer:///identities/ben' as IdentityId])
  expect(await findDistinct(replica, [waiting], people)).toBe(create.conversation)
  expect(await findDistinct(replica, [waiting], new Set([me]))).toBeUndefined()
  const change = changeParticipants(create.conversation, 'add', ['cleo'], newUuid)
  const changed = { ...change, order: 2, identity: me, state: { state: 'waiting' } } as unknown as OutboxEntry
  expect(await findDistinct(replica, [waiting, changed], people)).toBeUndefined()
})
