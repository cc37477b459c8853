/** Whether the store itself is sound: positions and sequences dense, unread and receipts equal to a recount. */
import { hasPosition } from '@parley/protocol'
import { memoryLists, type Tables } from '@parley/server/in-process'
import { short } from './check-replica.ts'
import { APP } from './expected-replica.ts'

export function checkLog(tables: Tables): string[] {
  const findings: string[] = []
  const inboxes = new Map<string, number[]>()
  for (const [name, { record, headSequence, headPosition }] of tables.conversations) {
    const found = (sentence: string) => findings.push(`store, ${short(record.id)}: ${sentence}`)
    const people = [...tables.participants.get(name)!.values()]
    const messages = tables.messages.get(name) ?? []
    const sequences = [record.sequence, ...people.map((one) => one.sequence), ...messages.map((one) => one.sequence)]
    if (new Set(sequences).size !== sequences.length) found('two rows have one sequence')
    if (Math.max(...sequences) !== headSequence)
      found(`the head is ${headSequence}, the last row ${Math.max(...sequences)}`)
    const positions = messages.map(({ position }) => position)
    const isDense = positions.every((position, i) => position === i + 1)
    if (record.deletedAt === null && (!isDense || positions.length !== headPosition)) {
      found(`positions are ${positions.join(' ')} and the head is ${headPosition}`)
    }
    if (record.deletedAt !== null && messages.length > 0) found('deleted, and messages are left')
    if (new Set(messages.map(({ id }) => id)).size !== messages.length) found('a message is there twice')
    for (const own of people) {
      inboxes.set(own.userId, [...(inboxes.get(own.userId) ?? []), own.inboxSequence])
      if (messages.length > 0) {
        const isCounted = own.state === 'joined' || own.state === 'removed'
        const end = own.lastPosition ?? Number.POSITIVE_INFINITY
        const unread = messages.filter(
          ({ position, sender, deletedAt }) =>
            deletedAt === null &&
            sender !== own.userId &&
            position <= end &&
            !hasPosition(own.read, position) &&
            !hasPosition(own.hidden, position),
        ).length
        const view = memoryLists(tables).conversation(APP, record.id, own.userId)
        if (isCounted && view?.unreadCount !== unread)
          found(`${own.userId} has ${unread} unread, counted ${view?.unreadCount}`)
      }
      for (const { position } of messages) {
        if (hasPosition(own.read, position) && !hasPosition(own.delivered, position)) {
          found(`${own.userId} has read ${position}, which was not delivered`)
        }
      }
    }
  }
  for (const [name, { profile, inboxSequence }] of tables.people) {
    const sequences = inboxes.get(profile.userId) ?? []
    const head = Math.max(0, ...sequences)
    if (head !== inboxSequence)
      findings.push(`store: the inbox of ${name} is at ${inboxSequence}, its last row at ${head}`)
    if (new Set(sequences).size !== sequences.length)
      findings.push(`store: two rows of the inbox of ${name} have one sequence`)
  }
  return findings
}
