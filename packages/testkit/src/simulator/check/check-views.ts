/** Whether screens count right: unread and receipts as the SDK shows them, against a recount from the store's rows. */
import { hasPosition, identityId, type UserId } from '@parley/protocol'
import { isActive, type Tables } from '@parley/server/in-process'
import type { Device } from '../device.ts'
import type { Timeline } from '../timeline.ts'
import { short } from './check-replica.ts'

export async function checkViews(tables: Tables, device: Device, timeline: Timeline): Promise<string[]> {
  const findings: string[] = []
  const userId = device.userId as UserId
  for (const [name, { record }] of tables.conversations) {
    const people = tables.participants.get(name)!
    const own = people.get(userId)
    if (own?.state !== 'joined' || record.deletedAt !== null) continue
    const found = (sentence: string) => findings.push(`${device.name}: ${short(record.id)}: ${sentence}`)
    const outbox = device.disk.table('outbox').size
    // What failed is still shown, and is no part of the log.
    if (outbox > 0) continue
    const messages = (tables.messages.get(name) ?? []).filter(
      (one) => one.deletedAt === null && !hasPosition(own.hidden, one.position),
    )
    const view = await inTime(timeline, device.client.getConversation(`layer:///conversations/${record.id}`))
    const unread = messages.filter(
      ({ sender, position }) => sender !== userId && !hasPosition(own.read, position),
    ).length
    if (view?.unreadCount !== unread) found(`${unread} are unread, shown ${view?.unreadCount}`)
    const newest = messages.at(-1)
    if (!newest) continue
    const message = await inTime(timeline, device.client.getMessage(`layer:///conversations/${record.id}`, newest.id))
    for (const other of people.values()) {
      const wasThere = newest.sender === other.userId || !hasPosition(other.absent, newest.position)
      const status =
        newest.sender === other.userId || hasPosition(other.read, newest.position)
          ? 'read'
          : hasPosition(other.delivered, newest.position)
            ? 'delivered'
            : 'sent'
      const shown = message?.recipientStatus[identityId(other.userId)]
      if (shown !== (wasThere ? status : undefined) && isActive(other)) {
        found(`${newest.position} is ${wasThere ? status : 'not'} for ${other.userId}, shown ${shown}`)
      }
    }
  }
  // Who was signed out while we looked has nothing on the screen any more.
  return device.client.state.state === 'authenticated' ? findings : []
}

/** Waits for an answer that costs no more than reads of the disk. */
async function inTime<T>(timeline: Timeline, promise: Promise<T>): Promise<T | undefined> {
  let answer: T | undefined
  let isDone = false
  promise.then(
    (value) => {
      answer = value
      isDone = true
    },
    () => {
      isDone = true
    },
  )
  await timeline.pass(2_000, () => isDone)
  return answer
}
