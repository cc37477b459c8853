/** Messages that somebody missed: many conversations, each with another contact who wrote while the reader was away. */
import type { Dialect } from './dialect.ts'
import { messageId } from './message-id.ts'
import { connectPeople, makeRoom } from './people.ts'

export interface Missed {
  readonly conversations: number
  readonly messages: number
}

/** As long as a message of a chat is, and no two alike. */
const bodyOf = (index: number) => `message ${index} ${'x'.repeat(200)}`.slice(0, 200)
/** Under way at a time. */
const WINDOW = 200

/** Has the contacts write. The reader exists, and is nowhere. */
export async function writeMissed(
  { port, dialect, reader }: { readonly port: number; readonly dialect: Dialect; readonly reader: string },
  { conversations, messages }: Missed,
): Promise<void> {
  let acknowledged: () => void = () => undefined
  const names = [...Array.from({ length: conversations }, (_, index) => `contact${index}`), reader]
  const people = await connectPeople({ port, dialect, names }, (_, data, start, end) => {
    if (dialect.acknowledged(data, start, end) !== undefined) acknowledged()
  })
  people.pop()!.socket.close()
  const rooms: string[] = []
  for (const { user, socket } of people) {
    const answer = () =>
      new Promise<void>((resolve) => {
        acknowledged = resolve
      })
    rooms.push(await makeRoom({ dialect, creator: socket, members: [user, reader] }, answer))
  }
  await new Promise<void>((resolve) => {
    let sent = 0
    let done = 0
    const say = () => {
      if (sent === messages) return
      const one = sent++ % conversations
      people[one]!.socket.send(dialect.message(rooms[one]!, messageId(), bodyOf(sent)))
    }
    acknowledged = () => {
      if (++done === messages) resolve()
      else say()
    }
    for (let i = 0; i < WINDOW; i++) say()
  })
  for (const { socket } of people) socket.close()
}
