import { createHmac, randomUUID } from 'node:crypto'
import { TOKEN_SECRET } from '../../servers/reference-secret.ts'
import type { Dialect } from '../dialect.ts'

/** The minimal server's own few words. */
export function referenceDialect(): Dialect {
  return {
    protocol: '',
    hello: async (user) => JSON.stringify({ t: 'hello', token: signed({ prn: user }) }),
    isWelcome: (data, start, end) => end - start === 15 && data[start + 6] === W,
    room(members) {
      const room = randomUUID()
      return { room, frames: [JSON.stringify({ t: 'room', id: randomUUID(), room, members })] }
    },
    message: (room, id, body) => `{"t":"send","id":"${id}","room":"${room}","body":"${body}"}`,
    acknowledged: (data, start) => (data[start + 6] === A ? start + 17 : undefined),
    delivered(data, start, _, arrived) {
      if (data[start + 6] !== M) return false
      arrived(start + 17)
      return true
    },
    catchUp({ socket, hello, done }) {
      const ids = new Set<string>()
      return {
        start: () => socket.send(hello),
        hear(text) {
          const frame = JSON.parse(text) as { t: string; rows: { id: string }[] }
          if (frame.t === 'welcome') socket.send('{"t":"catch-up"}')
          else if (frame.t === 'rows') for (const { id } of frame.rows) ids.add(id)
          else if (frame.t === 'end') done(ids)
        },
      }
    },
  }
}

/** The letter that tells frames apart: `{"t":"w`, `{"t":"a`, `{"t":"m`. */
const [W, A, M] = ['w', 'a', 'm'].map((letter) => letter.charCodeAt(0)) as [number, number, number]

function signed(claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const content = `${encode({ alg: 'HS256' })}.${encode(claims)}`
  return `${content}.${createHmac('sha256', TOKEN_SECRET).update(content).digest('base64url')}`
}
