/**
 * Worlds with one thing broken on purpose: a check that cannot fail proves nothing. Each of these must be noticed within
 * a bounded number of seeds.
 */
import type { MessageRecord, Writes } from '@parley/server/in-process'
import type { Device } from './device.ts'
import type { Write } from './device-disk.ts'
import type { ServerDisk } from './server-disk.ts'
import type { ServerMachine } from './server-machine.ts'

/** Breaks one thing in a world. */
export type Mutation = (world: {
  readonly disk: ServerDisk
  readonly server: ServerMachine
  readonly devices: readonly Device[]
  /** What becomes of a frame on the line; undefined: it is lost. */
  readonly line: { tamper: (direction: 'up' | 'down', text: string) => string | undefined }
}) => void

export const mutations: Readonly<Record<string, Mutation>> = {
  'the store drops a commit and says nothing'({ disk }) {
    let commits = 0
    disk.mutation = { keeps: ({ messages }) => messages.length === 0 || ++commits % 4 !== 0 }
  },

  'a commit is said to be safe before it is'({ disk }) {
    disk.mutation = { isHasty: true }
  },

  'the server forgets what it has done'({ disk }) {
    disk.mutation = {
      answers: (method, answer) =>
        method === 'load' ? { ...(answer as object), messages: [], operations: [] } : answer,
      writes: (writes) => ({
        ...writes,
        operations: [],
        messages: writes.messages.map((one) => ({ ...one, isNew: false })),
      }),
    }
  },

  'the store exchanges two messages'({ disk }) {
    disk.mutation = { writes: (writes) => ({ ...writes, messages: exchanged(writes.messages) }) }
  },

  'the store forgets read marks'({ disk }) {
    disk.mutation = { writes: eachParticipant((one) => ({ ...one, read: [] })) }
  },

  'a sequence is handed out twice'({ disk }) {
    disk.mutation = { writes: eachParticipant((one) => ({ ...one, sequence: Math.max(1, one.sequence - 1) })) }
  },

  'what is deleted for all is kept'({ disk }) {
    disk.mutation = { writes: (writes) => ({ ...writes, purged: [] }) }
  },

  'a device believes a cursor without the rows'({ devices }) {
    let commits = 0
    for (const device of devices) {
      device.disk.filter = (writes) => (++commits % 7 === 0 ? writes.filter((one) => !isRow(one)) : writes)
    }
  },

  'a device forgets nothing it should'({ devices }) {
    for (const device of devices) {
      device.disk.filter = (writes) => writes.filter((one) => one.type !== 'delete-all' || one.table === 'outbox')
    }
  },

  'the outbox is not safe when the call returns'({ devices }) {
    for (const device of devices) device.disk.isForgetful = true
  },

  'the outbox loses an entry'({ devices }) {
    let entries = 0
    for (const device of devices) {
      device.disk.filter = (writes, durability) =>
        writes.filter((one) => durability === 'relaxed' || one.table !== 'outbox' || ++entries % 9 !== 0)
    }
  },

  'a tab that was taken over from goes on writing'({ devices }) {
    for (const device of devices) device.disk.ignoresTerms = true
  },

  'what the owner answers other tabs is lost'({ devices }) {
    let answers = 0
    for (const device of devices) {
      device.losesBetweenTabs = (message) => (message as { type: string }).type === 'answer' && ++answers % 3 === 0
    }
  },

  'some changes are never told'({ line }) {
    let changes = 0
    line.tamper = (direction, text) =>
      direction === 'down' && text.startsWith('{"type":"change"') && ++changes % 5 === 0 ? undefined : text
  },

  'an acknowledgement comes for what was never done'({ line }) {
    let sends = 0
    line.tamper = (direction, text) =>
      direction === 'up' && text.includes('"send-message"') && ++sends % 4 === 0 ? asMark(text) : text
  },
}

/** The messages of one conversation in one commit change places. */
function exchanged(messages: Writes['messages']): Writes['messages'] {
  const [first, second] = messages
  if (!first || !second || first.conversation !== second.conversation) return messages
  const swap = (one: Writes['messages'][number], other: MessageRecord) => ({ ...one, position: other.position })
  return [swap(first, second), swap(second, first), ...messages.slice(2)]
}

type Participant = Writes['participants'][number]

const eachParticipant = (change: (one: Participant) => Participant) => (writes: Writes) => ({
  ...writes,
  participants: writes.participants.map(change),
})

const isRow = ({ table }: Write) => table === 'messages' || table === 'positions' || table === 'participants'

/** The same operation id for something harmless: the sender will hear that it is done. */
function asMark(text: string): string {
  const frame = JSON.parse(text) as { input: { conversation: string } }
  const input = { conversation: frame.input.conversation, receipt: 'delivery', position: 1 }
  return JSON.stringify({ ...frame, name: 'mark-messages', input })
}
