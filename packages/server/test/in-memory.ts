/** The parts of a server over a store in memory, for tests that look between one turn and the next. */
import { randomUUID } from 'node:crypto'
import type { DownFrame, Uuid } from '@parley/protocol'
import { assemble } from '../src/assemble.ts'
import type { Edge } from '../src/edge/edge.ts'
import { NativeConnection } from '../src/edge/native/connection.ts'
import type { Socket } from '../src/edge/sockets/socket.ts'
import type { AppKey } from '../src/model/state.ts'
import { openMemoryStore } from '../src/store/memory/memory-store.ts'
import type { Store, Writes } from '../src/store/store.ts'

export const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

/** @param beforeCommit may wait or throw; then nothing is committed */
export async function assembleInMemory(beforeCommit: (writes: Writes) => Promise<void> | void = () => undefined) {
  const inner = openMemoryStore()
  const appId = randomUUID() as Uuid
  const app = {
    key: 0 as AppKey,
    id: appId,
    environment: 'staging' as const,
    name: 'App',
    sessionSeconds: null,
    allowedOrigins: null,
    createdAt: 0,
    suspendedAt: null,
  }
  await inner.apps.create(app, { id: randomUUID() as Uuid, app: 0 as AppKey, jwksUrl: null }, null)
  const store: Store = {
    ...inner,
    log: {
      ...inner.log,
      commit: async (writes) => {
        await beforeCommit(writes)
        return inner.log.commit(writes)
      },
    },
  }
  const { edge } = await assemble(store, {
    clock: { now: () => 1_000, after: () => () => undefined },
    log: () => undefined,
    baseUrl: () => '',
    tokens: {
      // A token is `user id:display name`; what real ones go through has its own tests.
      verify: async (token, _app, _now, { consumeNonce }) => {
        const [prn = '', name = ''] = token.split(':')
        const nce = edge.sessions.nonce(null)
        const claims = { prn, display_name: name, iss: '', iat: 0, exp: 9_000, nce }
        // A nonce just issued is good, unless the store is not.
        if (!(await consumeNonce(nce, claims))) return { ok: false, error: 'eit_nonce_not_found', sentence: '' }
        return { ok: true, claims }
      },
    },
  })
  const signIn = async (userId: string, displayName: string) => {
    const opened = await edge.sessions.open(appId, `${userId}:${displayName}`)
    if ('refusal' in opened) throw new Error(opened.refusal.id)
    return opened
  }
  return { edge, signIn }
}

/** Somebody who is signed in, has said hello on a socket in memory, and has a conversation with Ben. */
export async function peerWithBen(edge: Edge, token: string, turns: Partial<Pick<Socket, 'pause' | 'resume'>> = {}) {
  const heard: DownFrame[] = []
  const connection = new NativeConnection(edge, {
    sendText: (text) => heard.push(JSON.parse(text)),
    sendFrame: () => undefined,
    sendList: () => undefined,
    drained: async () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    close: () => undefined,
    ...turns,
  })
  const say = (frame: object) => connection.receive(JSON.stringify(frame))
  say({ type: 'hello', session_token: token, cursor: null, epoch: null })
  await settled()
  const conversation = randomUUID()
  const input = { id: conversation, participants: ['ben'], distinct: false }
  say({ type: 'operation', id: conversation, name: 'create-conversation', input })
  await settled()
  await settled()
  heard.length = 0
  return {
    connection,
    heard,
    say,
    /** @param after the operation that must have been carried out before */
    send(id: string, after?: string) {
      const input = { id, conversation, parts: [{ mime_type: 'text/plain', body: 'Hello' }] }
      say({ type: 'operation', id, name: 'send-message', input, ...(after && { after }) })
    },
  }
}
