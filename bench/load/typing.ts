/** Two people of whom one types all the time, and how much of it the other one hears. */

import type { Dialect } from './dialect.ts'
import { connectPeople, makeRoom } from './people.ts'

/** Within what a connection may. */
const EVERY_MS = 250

const TYPING = Buffer.from('"typing"')
const TYPE_AT = '{"type":'.length

export class Typists {
  #said = 0
  #heard = 0

  static async start(port: number, dialect: Dialect): Promise<Typists> {
    const typists = new Typists()
    let acknowledged = () => {}
    const people = await connectPeople({ port, dialect, names: ['typist', 'watcher'] }, (index, data, start, end) => {
      if (dialect.acknowledged(data, start, end) !== undefined) acknowledged()
      else if (
        index === 1 &&
        data.compare(TYPING, 0, TYPING.length, start + TYPE_AT, start + TYPE_AT + TYPING.length) === 0
      ) {
        typists.#heard++
      }
    })
    const answer = () => new Promise<void>((resolve) => (acknowledged = resolve))
    const [{ socket }] = people as [(typeof people)[0]]
    const room = await makeRoom({ dialect, creator: socket, members: people.map(({ user }) => user) }, answer)
    const frame = JSON.stringify({ type: 'typing', conversation: `layer:///conversations/${room}`, action: 'started' })
    setInterval(() => {
      typists.#said++
      socket.send(frame)
    }, EVERY_MS).unref()
    return typists
  }

  /** Of what was typed since this was asked last, how much was heard: 1 is all of it. */
  heardShare(): number {
    const share = this.#heard / this.#said
    this.#said = this.#heard = 0
    return share
  }
}
