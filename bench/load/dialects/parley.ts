import { randomUUID } from 'node:crypto'
import type { CreatedApp } from '@parley/server'
import type { Dialect, SignInLine } from '../dialect.ts'
import { HttpConnection } from '../http.ts'
import { ID_LENGTH } from '../message-id.ts'
import { minter } from '../minter.ts'

/** Participants named in the frame that makes a conversation, and in each that adds more. */
const MEMBERS_PER_FRAME = 250
/** Streams that one pull may name. */
const STREAMS_PER_PULL = 200

/** Parley's native protocol. */
export function parleyDialect({ port, app }: { readonly port: number; readonly app: CreatedApp }): Dialect {
  const mint = minter(app)
  return {
    protocol: 'parley.1',
    async hello(user, given) {
      const line: SignInLine = given ?? new HttpConnection(port)
      const { nonce } = await created(line, '/nonces', { app_id: app.appId })
      const session = await created(line, '/sessions', { identity_token: mint(user, nonce!), app_id: app.appId })
      if (line instanceof HttpConnection && !given) line.close()
      return JSON.stringify({ type: 'hello', session_token: session.session_token, cursor: null, epoch: null })
    },
    onSocket: {
      asks: JSON.stringify({ type: 'nonce', app_id: app.appId }),
      hello(user, data, start, end) {
        // {"type":"nonce","nonce":"…"}
        if (data[start + 9] !== N) return undefined
        const identity_token = mint(user, data.toString('latin1', start + 25, end - 2))
        return JSON.stringify({ type: 'hello', identity_token, app_id: app.appId, cursor: null, epoch: null })
      },
    },
    // {"type":"heads": live from here on.
    isWelcome: (data, start) => data[start + 9] === H,
    room(members) {
      const room = randomUUID()
      const id = (user: string) => `layer:///identities/${user}`
      const input = { id: room, participants: members.slice(0, MEMBERS_PER_FRAME).map(id), distinct: false }
      const frames = [operation(room, 'create-conversation', input)]
      for (let at = MEMBERS_PER_FRAME; at < members.length; at += MEMBERS_PER_FRAME) {
        const patch = members
          .slice(at, at + MEMBERS_PER_FRAME)
          .map((user) => ({ operation: 'add', property: 'participants', value: id(user) }))
        const conversation = `layer:///conversations/${room}`
        frames.push(operation(randomUUID(), 'update-conversation', { conversation, patch }))
      }
      return { room, frames }
    },
    message: (room, id, body) =>
      `{"type":"operation","id":"${id}","name":"send-message","input":{"id":"layer:///messages/${id}",` +
      `"conversation":"layer:///conversations/${room}","parts":[{"mime_type":"text/plain","body":"${body}"}]}}`,
    acknowledged(data, start, end) {
      if (data[start + 9] !== A) return undefined
      if (data[start + 73] === F) throw new Error(data.toString('latin1', start, end))
      return start + 32
    },
    refused(data, start, end) {
      // {"type":"acknowledgement","id":"…","refusal": the letter that is not the s of a result.
      if (data[start + 9] !== A || data[start + 73] !== F) return undefined
      const { id, refusal, retry_after_ms } = JSON.parse(data.toString('utf8', start, end))
      return { id, code: refusal.id, retryAfterMs: retry_after_ms }
    },
    delivered(data, start, end, arrived) {
      // {"type":"change": nothing else begins with a c and an h but a challenge, which is far off.
      if (data[start + 9] !== C) return false
      // Bodies say nothing of the kind.
      for (let at = start; ; at += ID_LENGTH) {
        at = data.indexOf(MESSAGE_ID, at)
        if (at < 0 || at > end) return true
        at += MESSAGE_ID.length
        arrived(at)
      }
    },
    catchUp({ socket, hello, done }) {
      const ids = new Set<string>()
      let behind: { stream: string; after: number }[] = []
      let pulls = 0
      let answered = 0
      const pull = () => {
        for (; behind.length > 0; behind = behind.slice(STREAMS_PER_PULL)) {
          socket.send(JSON.stringify({ type: 'pull', id: ++pulls, streams: behind.slice(0, STREAMS_PER_PULL) }))
        }
      }
      return {
        start: () => socket.send(hello),
        hear(text) {
          const frame = JSON.parse(text)
          if (frame.type === 'heads') {
            for (const { stream } of frame.streams) behind.push({ stream, after: 0 })
            if (frame.cursor !== null) pull()
          } else if (frame.type === 'rows') {
            for (const row of frame.rows) if (row.type === 'message') ids.add(row.id)
            if (frame.last && ++answered === pulls) done(ids)
          }
        },
      }
    },
  }
}

const [H, A, C, F, N] = ['h', 'a', 'c', 'f', 'n'].map((letter) => letter.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
]
const MESSAGE_ID = Buffer.from('layer:///messages/')

const operation = (id: string, name: string, input: object) => JSON.stringify({ type: 'operation', id, name, input })

async function created(line: SignInLine, path: string, body?: object): Promise<Record<string, string>> {
  const answer = await line.post(path, body)
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}
