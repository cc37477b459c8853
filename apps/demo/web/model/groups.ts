import type { MessageItem } from './chat.ts'
import { isSameDay } from './time.ts'

/** Messages of one sender in a row, shown as one block. */
export interface MessageGroup {
  readonly key: string
  readonly messages: readonly [MessageItem, ...MessageItem[]]
  readonly startsDay: boolean
  readonly startsNew: boolean
}

const PAUSE_MS = 5 * 60_000

/** Oldest first. A group ends with another sender, another day, a pause, or where the new messages begin. */
export function groupMessages(messages: readonly MessageItem[], firstNew: string | undefined): MessageGroup[] {
  const groups: (MessageGroup & { messages: [MessageItem, ...MessageItem[]] })[] = []
  let previous: MessageItem | undefined
  for (const message of messages) {
    const startsDay = !previous || !isSameDay(new Date(previous.at), new Date(message.at))
    const startsNew = message.id === firstNew
    if (previous && !startsDay && !startsNew && goesOn(previous, message)) groups.at(-1)!.messages.push(message)
    else groups.push({ key: message.id, messages: [message], startsDay, startsNew })
    previous = message
  }
  return groups
}

function goesOn(previous: MessageItem, next: MessageItem): boolean {
  return previous.sender.id === next.sender.id && Date.parse(next.at) - Date.parse(previous.at) < PAUSE_MS
}
