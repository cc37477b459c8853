import type { MessageGroup as Group } from '../model/groups.ts'
import { dayLabel } from '../model/time.ts'
import { Avatar } from './avatar.tsx'
import { type MessageActions, MessageBubble } from './message-bubble.tsx'

interface MessageGroupProps extends MessageActions {
  readonly group: Group
  readonly now: Date
  /** Names are shown where more than two people talk. */
  readonly showSender: boolean
  readonly lastOwn: string | undefined
}

/** A block of one sender's messages, with the day and the "new" marker above it where they begin. */
export function MessageGroup({ group, now, showSender, lastOwn, ...actions }: MessageGroupProps) {
  const [first] = group.messages
  const { sender, isOwn } = first
  return (
    <>
      {group.startsDay && <div className="divider">{dayLabel(first.at, now)}</div>}
      {group.startsNew && <div className="divider new">New messages</div>}
      <section className={isOwn ? 'group own' : 'group theirs'} aria-label={isOwn ? 'You' : sender.name}>
        {!isOwn && showSender && <h3 className="group-sender">{sender.name}</h3>}
        {!isOwn && <Avatar person={sender} size="small" />}
        <ul className="group-messages">
          {group.messages.map((message) => (
            <MessageBubble key={message.id} message={message} showFate={message.id === lastOwn} {...actions} />
          ))}
        </ul>
      </section>
    </>
  )
}
