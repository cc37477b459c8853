import type { MessageRow } from '@parley/protocol'
import { type Check, type Copy, type Finding, messagesOf } from '../history.ts'

/**
 * C9: what is counted along the way equals a count from the log itself: unread and the last message, on devices and on
 * the server. Counted here position by position, on purpose unlike the code that is examined.
 */
export const drift: Check = ({ devices, store }) =>
  [
    ...devices.map((device) => ({ ...device, side: device.name })),
    ...store.map((view) => ({ ...view, side: `the server, for ${view.identity}` })),
  ].flatMap(({ side, identity, copy, unread, lastMessage }) =>
    Object.keys(unread).flatMap((conversation): Finding[] => {
      const log = recount(copy, conversation, identity)
      const wrong: Finding[] = []
      if (unread[conversation] !== log.unread) {
        const sentence = `${side} says ${unread[conversation]} unread in ${conversation}; the log says ${log.unread}`
        wrong.push({ check: 'C9', sentence })
      }
      if (conversation in lastMessage && lastMessage[conversation] !== log.last) {
        const sentence = `${side} says ${lastMessage[conversation]} is last in ${conversation}; the log says ${log.last}`
        wrong.push({ check: 'C9', sentence })
      }
      return wrong
    }),
  )

function recount(copy: Copy, conversation: string, identity: string) {
  const seen = new Set<number>()
  const mark = (ranges: readonly number[]) => {
    for (let i = 0; i < ranges.length; i += 2) for (let at = ranges[i]!; at <= ranges[i + 1]!; at++) seen.add(at)
  }
  const hidden = new Set<number>()
  for (const { stream, row } of copy.rows) {
    if (row.type === 'participant' && stream === conversation && row.identity.id === identity) mark(row.read)
    if (row.type === 'membership' && row.conversation === conversation) {
      mark(row.hidden)
      for (let i = 0; i < row.hidden.length; i += 2)
        for (let at = row.hidden[i]!; at <= row.hidden[i + 1]!; at++) hidden.add(at)
    }
  }
  const live = messagesOf(copy)
    .filter((one) => one.conversation === conversation && one.row.deleted_at === null)
    .map(({ row }) => row)
    .filter(({ position }) => !hidden.has(position))
    .sort((a, b) => a.position - b.position)
  const isUnread = ({ sender, position }: MessageRow) => sender !== identity && !seen.has(position)
  return { unread: live.filter(isUnread).length, last: live[live.length - 1]?.id ?? null }
}
