/** Somebody who speaks Layer's Client API over HTTP. */
import { randomUUID } from 'node:crypto'
import { type Answer, type RequestOptions, type TestServer, text } from '../../support.ts'

export const conversationUri = (uuid: string) => `layer:///conversations/${uuid}`
export const messageUri = (uuid: string) => `layer:///messages/${uuid}`
export const identityUri = (encoded: string) => `layer:///identities/${encoded}`

/** What came back, of any shape: tests say what they expect of it. */
export type Body = Record<string, never>

export class Caller {
  readonly home: TestServer
  readonly token: string

  private constructor(home: TestServer, token: string) {
    this.home = home
    this.token = token
  }

  static async signIn(home: TestServer, userId: string, claims: Record<string, string> = {}): Promise<Caller> {
    return new Caller(home, await home.signIn(userId, { claims }))
  }

  async call(method: string, path: string, body?: unknown, options: RequestOptions = {}) {
    const answer = await this.home.request(method, path, {
      token: this.token,
      ...options,
      ...(body !== undefined && { body }),
    })
    return answer as Answer & { readonly body: Body }
  }

  get(path: string) {
    return this.call('GET', path)
  }

  /** Starts a conversation; answers its UUID. */
  async start(...participants: string[]): Promise<string> {
    const id = randomUUID()
    const answer = await this.call('POST', '/conversations', { id, participants: participants.map(identityUri) })
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    return id
  }

  /** Sends a text; answers the message's UUID. */
  async send(conversation: string, body: string): Promise<string> {
    const id = randomUUID()
    const answer = await this.call('POST', `/conversations/${conversation}/messages`, { id, parts: text(body) })
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    return id
  }

  /** Bodies of a conversation's messages, oldest first, as this caller sees them. */
  async texts(conversation: string): Promise<string[]> {
    const { body } = await this.get(`/conversations/${conversation}/messages`)
    return (body as unknown as { parts: { body: string }[] }[]).map((message) => message.parts[0]!.body).reverse()
  }
}
