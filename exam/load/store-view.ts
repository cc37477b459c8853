import type { DownFrame, Row, StreamId } from '@parley/protocol'
import { WebSocket } from 'ws'
import type { Copy, StoreView } from '../checker/history.ts'
import type { ReachableServer } from './reachable-server.ts'

/** What a row is about: the same for every state of the same thing. */
export function keyOfRow(row: Row): string {
  switch (row.type) {
    case 'conversation':
      return 'conversation'
    case 'participant':
      return `participant ${row.identity.id}`
    case 'message':
      return `message ${row.position}`
    case 'membership':
      return `membership ${row.conversation}`
  }
}

/**
 * Everything the store has for an identity, read from the beginning over the native protocol by a session that never
 * was there before, and without the SDK; and what the server counts, read over HTTP.
 */
export async function readStoreView(server: ReachableServer, userId: string): Promise<StoreView> {
  const token = await server.signIn(userId)
  const { identity, copy } = await readCopy(server.websocketUrl, token)
  const listed = (await server.request('GET', '/conversations?page_size=100', undefined, token)) as {
    readonly id: string
    readonly unread_message_count: number
    readonly last_message: { readonly id: string } | null
  }[]
  return {
    identity,
    copy,
    unread: Object.fromEntries(listed.map((one) => [one.id, one.unread_message_count])),
    lastMessage: Object.fromEntries(listed.map((one) => [one.id, one.last_message?.id ?? null])),
  }
}

/** A process that is busy with what it has read may say its request so late that the server has given up on it. */
const TRIES = 5

async function openSocket(url: string): Promise<WebSocket> {
  for (let tries = 1; ; tries++) {
    const socket = new WebSocket(url, 'parley.1')
    try {
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
      return socket
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}

/** Streams asked for in one pull. */
const AT_ONCE = 100

export async function readCopy(
  websocketUrl: string,
  token: string,
  from: { readonly cursor: string | null; readonly epoch: string | null } = { cursor: null, epoch: null },
): Promise<{ identity: string; copy: Copy; epoch: string; cursor: string }> {
  const socket = await openSocket(websocketUrl)
  const heads = new Map<StreamId, number>()
  const rows = new Map<string, { stream: StreamId; key: string; row: Row }>()
  const sequences = new Map<StreamId, number>()
  let identity = ''
  let epoch = ''
  let cursor = ''
  let pulls = 0
  const say = (frame: object) => socket.send(JSON.stringify(frame))
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code) => reject(new Error(`The reader was sent away with ${code}.`)))
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as DownFrame
      if (frame.type === 'goodbye') return reject(new Error(`The reader was sent away: ${frame.reason}.`))
      if (frame.type === 'refusal') return reject(new Error(`The reader was refused: ${frame.error.message}`))
      if (frame.type === 'welcome') {
        identity = frame.identity.id
        epoch = frame.epoch
      }
      if (frame.type === 'heads') {
        for (const { stream, sequence } of frame.streams) heads.set(stream, sequence)
        if (frame.cursor === null) return
        cursor = frame.cursor
        const streams = [...heads.keys()].map((stream) => ({ stream, after: 0 }))
        for (let i = 0; i < streams.length; i += AT_ONCE) {
          say({ type: 'pull', id: ++pulls, streams: streams.slice(i, i + AT_ONCE) })
        }
        if (pulls === 0) resolve()
      }
      if (frame.type === 'rows') {
        sequences.set(frame.stream, frame.sequence)
        for (const row of frame.rows) {
          const key = keyOfRow(row)
          rows.set(`${frame.stream} ${key}`, { stream: frame.stream, key, row })
        }
        if (frame.last && --pulls === 0) resolve()
      }
    })
    say({ type: 'hello', session_token: token, ...from })
  }).finally(() => socket.terminate())
  const streams = [...heads].map(([stream, head]) => ({ stream, sequence: sequences.get(stream) ?? 0, head }))
  return { identity, epoch, cursor, copy: { streams, rows: [...rows.values()] } }
}
