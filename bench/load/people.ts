/** People who are signed in and connected. */
import type { Dialect } from './dialect.ts'
import { type LoadSocket, openSocket } from './socket.ts'
import { inGroups } from './task.ts'

export interface Person {
  readonly user: string
  readonly socket: LoadSocket
}

/** Signing in at a time. */
const AT_ONCE = 50

export type Hear = (index: number, data: Buffer, start: number, end: number) => void

/**
 * Connects so many people; what they hear after their welcome is passed on with their number.
 * @param port everybody's, or that of the one with a number
 */
export function connectPeople(
  {
    port: portOf,
    dialect,
    names,
  }: {
    readonly port: number | ((index: number) => number)
    readonly dialect: Dialect
    readonly names: readonly string[]
  },
  hear: Hear = () => undefined,
): Promise<Person[]> {
  return inGroups(names.length, AT_ONCE, async (index) => {
    const user = names[index]!
    const hello = await dialect.hello(user)
    const port = typeof portOf === 'number' ? portOf : portOf(index)
    return {
      user,
      socket: await connect({ port, dialect, hello }, (data, start, end) => hear(index, data, start, end)),
    }
  })
}

/** Says a hello, or signs a user in on the socket itself. */
export type Entrance = { readonly hello: string } | { readonly user: string }

/** A socket that is welcome. */
export async function connect(
  { port, dialect, ...entrance }: { readonly port: number; readonly dialect: Dialect } & Entrance,
  hear: (data: Buffer, start: number, end: number) => void = () => undefined,
): Promise<LoadSocket> {
  let isIn = false
  let welcome!: () => void
  const welcomed = new Promise<void>((resolve) => {
    welcome = resolve
  })
  const socket = await openSocket({
    port,
    protocol: dialect.protocol,
    onFrame(data, start, end) {
      if (isIn) return hear(data, start, end)
      const hello = 'user' in entrance && dialect.onSocket?.hello(entrance.user, data, start, end)
      if (hello) socket.send(hello)
      if (!dialect.isWelcome(data, start, end)) return
      isIn = true
      welcome()
    },
  })
  const first = 'hello' in entrance ? entrance.hello : dialect.onSocket?.asks
  if (first === undefined) throw new Error('Nobody signs in on the socket of this server.')
  socket.send(first)
  await welcomed
  return socket
}

/** Makes a conversation, a frame at a time. */
export async function makeRoom(
  {
    dialect,
    creator,
    members,
  }: { readonly dialect: Dialect; readonly creator: LoadSocket; readonly members: readonly string[] },
  acknowledged: () => Promise<void>,
): Promise<string> {
  const { room, frames } = dialect.room(members)
  for (const frame of frames) {
    const answer = acknowledged()
    creator.send(frame)
    await answer
  }
  return room
}
