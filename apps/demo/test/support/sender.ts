import { randomUUID } from 'node:crypto'
import type { Development } from './development.ts'

/** Somebody who sends much, without a browser: by the REST interface, with a token of the authentication service. */
export class Sender {
  readonly #url: string
  readonly #token: string

  private constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  static async signIn({ authServiceUrl, server }: Development, user: string, password: string): Promise<Sender> {
    const stranger = new Sender(server.url, '')
    const { nonce } = await stranger.#post<{ nonce: string }>(`${server.url}/nonces`, {})
    const body = { user, password, nonce }
    const { identity_token } = await stranger.#post<{ identity_token: string }>(
      `${authServiceUrl}/identity-token`,
      body,
    )
    const opening = { identity_token, app_id: server.appId }
    const { session_token } = await stranger.#post<{ session_token: string }>(`${server.url}/sessions`, opening)
    return new Sender(server.url, session_token)
  }

  /** Starts a conversation; answers its UUID. */
  async start(participants: readonly string[], metadata: Record<string, string>): Promise<string> {
    const id = randomUUID()
    await this.#post(`${this.#url}/conversations`, { id, participants, distinct: false, metadata })
    return id
  }

  async send(conversation: string, texts: readonly string[]): Promise<void> {
    for (const body of texts) {
      const parts = [{ mime_type: 'text/plain', body }]
      await this.#post(`${this.#url}/conversations/${conversation}/messages`, { parts })
    }
  }

  async #post<Answer>(address: string, body: unknown): Promise<Answer> {
    const answer = await fetch(address, {
      method: 'POST',
      headers: {
        accept: 'application/vnd.layer+json; version=2.0',
        'content-type': 'application/json',
        'x-requested-with': 'journey',
        ...(this.#token && { authorization: `Layer session-token="${this.#token}"` }),
      },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${address} answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as Answer
  }
}
