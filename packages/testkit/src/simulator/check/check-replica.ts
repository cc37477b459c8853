/** Whether a device holds what the store says it should: nothing more, nothing less, nothing old. */
import type { ConversationId, MessageRow, UserId } from '@parley/protocol'
import type { Tables } from '@parley/server/in-process'
import type { Device } from '../device.ts'
import { type ExpectedConversation, expectedReplica } from './expected-replica.ts'

export function checkReplica(tables: Tables, device: Device): string[] {
  const findings: string[] = []
  const found = (sentence: string) => findings.push(`${device.name}: ${sentence}`)
  const expected = expectedReplica(tables, device.userId as UserId)
  const table = (name: Parameters<Device['disk']['table']>[0]) => device.disk.table(name)
  same(
    found,
    'memberships',
    table('memberships').all(),
    expected.conversations.map(({ membership }) => membership),
  )

  const streams = new Map(
    (table('streams').all() as { stream: string; sequence: number; head: number }[]).map((row) => [row.stream, row]),
  )
  const inbox = streams.get('inbox')
  if ((inbox?.sequence ?? 0) !== expected.inbox) found(`the inbox is at ${inbox?.sequence}, not at ${expected.inbox}`)

  const known = new Set(expected.conversations.map(({ id }) => id))
  for (const { id } of table('conversations').all() as { id: ConversationId }[]) {
    if (!known.has(id)) found(`has ${short(id)}, which is none of its business`)
  }
  for (const one of expected.conversations) {
    const rows = {
      conversation: table('conversations').get([one.id]),
      participants: table('participants').scan({ prefix: [one.id] }) as { identity: { id: string } }[],
      messages: table('messages').scan({ prefix: [one.id] }) as (MessageRow & { conversation: string })[],
      stream: streams.get(one.id),
    }
    checkConversation((sentence) => found(`${short(one.id)} (${one.state}): ${sentence}`), one, rows)
    for (const message of rows.messages) {
      const position = table('positions').get([message.id]) as { position: number } | undefined
      if (position?.position !== message.position) found(`${short(message.id)} is not found by its id`)
    }
  }
  if (table('positions').size !== table('messages').size) found('the index of messages holds others than there are')
  return findings
}

interface Rows {
  readonly conversation: unknown
  readonly participants: readonly { readonly identity: { readonly id: string } }[]
  readonly messages: readonly (MessageRow & { readonly conversation: string })[]
  readonly stream: { readonly sequence: number; readonly head: number } | undefined
}

function checkConversation(found: (sentence: string) => void, expected: ExpectedConversation, rows: Rows): void {
  const { state, isDeleted } = expected
  if (state === 'left') {
    if (rows.conversation || rows.participants.length > 0 || rows.messages.length > 0 || rows.stream) {
      found('something of it is left')
    }
    return
  }
  const messages = rows.messages.map(({ conversation: _, ...message }) => message)
  if (state === 'removed') {
    // Rows are as they were when this device last saw them, or as of the removal; which messages there are is certain.
    if (isDeleted) return
    const wanted = expected.messages.map(({ id, position }) => ({ id, position }))
    same(
      found,
      'messages',
      messages.map(({ id, position }) => ({ id, position })),
      wanted,
    )
    if (!rows.conversation) found('the conversation itself is missing')
    return
  }
  same(found, 'the conversation', [rows.conversation], [expected.conversation])
  if (isDeleted) {
    if (rows.participants.length > 0 || messages.length > 0) found('it is deleted, and something of it is left')
    return
  }
  same(found, 'messages', messages, expected.messages)
  const people = rows.participants.map(
    ({ conversation: _, ...row }: (typeof rows.participants)[number] & { conversation?: string }) => row,
  )
  same(
    found,
    'participants',
    people.map(withoutOldNames),
    [...expected.participants.values()].map(withoutOldNames),
    (row) => (row as Rows['participants'][number]).identity.id,
  )
  if (rows.stream?.sequence !== expected.headSequence) {
    found(`the stream is at ${rows.stream?.sequence}, not at ${expected.headSequence}`)
  }
}

/** Who has left is not followed any more: what they are called now is no news of this conversation. */
function withoutOldNames(row: object): object {
  const participant = row as { readonly state: string; readonly identity: { readonly id: string } }
  return participant.state === 'left' ? { ...participant, identity: { id: participant.identity.id } } : row
}

function same(
  found: (sentence: string) => void,
  what: string,
  actual: readonly unknown[],
  expected: readonly unknown[],
  keyOf: (row: unknown) => string = (row) => canonical(row),
): void {
  const sorted = (rows: readonly unknown[]) =>
    rows.map((row) => ({ key: keyOf(row), text: canonical(row) })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const left = sorted(actual)
  const right = sorted(expected)
  if (left.length === right.length && left.every(({ text }, i) => text === right[i]!.text)) return
  const here = new Set(left.map(({ text }) => text))
  const there = new Set(right.map(({ text }) => text))
  const surplus = left.filter(({ text }) => !there.has(text)).map(({ text }) => text)
  const missing = right.filter(({ text }) => !here.has(text)).map(({ text }) => text)
  found(
    `${what} differ: has ${surplus.slice(0, 3).join(' ') || 'nothing else'}, lacks ${missing.slice(0, 3).join(' ') || 'nothing'}`,
  )
}

/** The same text for equal rows, whatever the order of their members. */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'undefined'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  members.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${name}:${canonical(member)}`).join(',')}}`
}

export const short = (id: string): string => id.slice(-6)
