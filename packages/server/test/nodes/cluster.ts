/** Several shipped servers on one PostgreSQL and one NATS, each a process of its own, and people at any of them. */
import {
  createApp,
  type NatsServer,
  type ParleyApp,
  type ParleyServer,
  type PostgresServer,
  startNats,
  startParley,
  startPostgres,
  until,
} from '@parley/testkit'
import { createIdentityTokenMinter, type IdentityTokenMinter } from '@parley/token'
import { ACCEPT, Person } from '../support.ts'

export class Cluster {
  readonly database: PostgresServer
  readonly nats: NatsServer
  readonly url: string
  readonly app: ParleyApp
  readonly minter: IdentityTokenMinter
  readonly nodes: ParleyServer[] = []
  readonly #people: Person[] = []

  private constructor(given: Pick<Cluster, 'database' | 'nats' | 'url' | 'app'>) {
    this.database = given.database
    this.nats = given.nats
    this.url = given.url
    this.app = given.app
    const { providerId, keyId, privateKeyPem: privateKey } = given.app
    this.minter = createIdentityTokenMinter({ providerId, keyId, privateKey })
  }

  static async start(count: number): Promise<Cluster> {
    const [database, nats] = await Promise.all([startPostgres({ version: 15 }), startNats()])
    const url = await database.createDatabase('parley')
    const app = await createApp(url, ['--algorithm', 'ES256'])
    const cluster = new Cluster({ database, nats, url, app })
    for (let n = 0; n < count; n++) await cluster.join()
    await cluster.settled()
    return cluster
  }

  /** One more server. */
  async join(options: { readonly bus?: string; readonly port?: number } = {}): Promise<ParleyServer> {
    const { bus = this.nats.url, port = 0 } = options
    const node = await startParley({ dataFolder: this.url, port, args: bus === '' ? [] : ['--bus', bus] })
    this.nodes.push(node)
    return node
  }

  node(n: number): ParleyServer {
    return this.nodes[n]!
  }

  /** Resolves when all servers hear each other. */
  async settled(): Promise<void> {
    for (const node of this.nodes) await until(async () => !(await readiness(node)).degraded, 'the servers are joined')
  }

  async request(
    node: ParleyServer,
    method: string,
    path: string,
    { token, body }: { readonly token?: string; readonly body?: unknown } = {},
  ): Promise<{ readonly status: number; readonly body: never }> {
    const response = await fetch(node.url + path, {
      method,
      headers: {
        accept: ACCEPT,
        'content-type': 'application/json',
        ...(token && { authorization: `Layer session-token="${token}"` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: (text ? JSON.parse(text) : undefined) as never }
  }

  /** Signs in at a server. */
  async signIn(node: ParleyServer, userId: string): Promise<string> {
    const { nonce } = (await this.request(node, 'POST', '/nonces')).body as { nonce: string }
    const identity_token = await this.minter.mint({ userId, nonce })
    const answer = await this.request(node, 'POST', '/sessions', { body: { identity_token, app_id: this.app.appId } })
    if (answer.status !== 201) throw new Error(`Sign-in refused: ${JSON.stringify(answer.body)}`)
    return (answer.body as { session_token: string }).session_token
  }

  /** A socket at a server; of a session that was opened there, or anywhere. */
  async connect(
    node: ParleyServer,
    userId: string,
    known: { readonly token?: string; readonly cursor?: string; readonly epoch?: string } = {},
  ): Promise<Person> {
    const token = known.token ?? (await this.signIn(node, userId))
    const server = { ...node, close: async () => undefined, failed: new Promise<string>(() => undefined) }
    const person = await Person.connect(server, token, known.cursor ?? null, known.epoch ?? null)
    this.#people.push(person)
    return person
  }

  /** Everybody hangs up. */
  leave(): void {
    for (const person of this.#people.splice(0)) person.close()
  }

  async close(): Promise<void> {
    this.leave()
    await Promise.all(this.nodes.map((node) => node.close()))
    await this.nats.close()
    await this.database.close()
  }
}

export async function readiness(node: ParleyServer) {
  const answer = await fetch(`${node.url}/readyz`)
  const body = (await answer.json()) as { readonly status: string; readonly bus: string; readonly degraded: boolean }
  return { code: answer.status, ...body }
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
