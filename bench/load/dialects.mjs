/** How to say and hear the same things to each of the servers. */
import { randomUUID } from 'node:crypto'
import { createIdentityTokenMinter } from '@parley/token'

const ACCEPT = 'application/vnd.layer+json; version=2.0'

/** Parley's native protocol. */
function parley({ port, app }) {
  const url = `http://127.0.0.1:${port}`
  const minter = createIdentityTokenMinter({
    providerId: app.providerId,
    keyId: app.keyId,
    privateKey: app.privateKeyPem,
  })
  const post = async (path, body) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { accept: ACCEPT, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    })
    if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  return {
    name: 'parley',
    protocol: 'parley.1',
    async hello(user) {
      const { nonce } = await post('/nonces')
      const token = await (await minter).mint({ userId: user, nonce, expiresInSeconds: 86_400 })
      const { session_token } = await post('/sessions', { identity_token: token, app_id: app.appId })
      return JSON.stringify({ type: 'hello', session_token, cursor: null, epoch: null })
    },
    isWelcome: (text) => text.startsWith('{"type":"heads"'),
    /** Frames that make a conversation of these people, and the name it then has. */
    room(members) {
      const id = randomUUID()
      const input = { id, participants: members.map((user) => `layer:///identities/${user}`), distinct: false }
      return { room: id, frame: JSON.stringify({ type: 'operation', id, name: 'create-conversation', input }) }
    },
    message: (room, id, body) =>
      `{"type":"operation","id":"${id}","name":"send-message","input":{"id":"layer:///messages/${id}",` +
      `"conversation":"layer:///conversations/${room}","parts":[{"mime_type":"text/plain","body":"${body}"}]}}`,
    /** The id an acknowledgement is for. */
    acknowledged: (text) => (text.startsWith('{"type":"acknowledgement"') ? text.slice(32, 68) : undefined),
    /** The id of a message that arrived. */
    delivered(text) {
      if (!text.startsWith('{"type":"change"')) return undefined
      const at = text.indexOf('layer:///messages/')
      return at < 0 ? undefined : text.slice(at + 18, at + 54)
    },
  }
}

/** The minimal server's. */
function reference() {
  return {
    name: 'reference',
    protocol: '',
    hello: async (user) => JSON.stringify({ t: 'hello', user }),
    isWelcome: (text) => text === '{"t":"welcome"}',
    room: (members) => ({ room: members.join('+') }),
    message: (room, id, body) => `{"t":"send","id":"${id}","room":"${room}","body":"${body}"}`,
    acknowledged: (text) => (text.startsWith('{"t":"ack"') ? text.slice(17, 53) : undefined),
    delivered: (text) => (text.startsWith('{"t":"msg"') ? text.slice(17, 53) : undefined),
  }
}

export const dialects = { parley, reference }
