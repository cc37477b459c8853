import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CreatedApp, openAdministration } from '@parley/server'
import { createIdentityTokenMinter, type IdentityTokenMinter } from '@parley/token'
import type { ProcessRecord } from '../checker/history.ts'
import type { RowContext } from '../row.ts'

export interface AppOptions {
  readonly sessionSeconds?: number
  readonly dataFolder?: string
}

/** A folder with an app in it, and who mints its identity tokens. */
export async function newApp(context: RowContext, { dataFolder, sessionSeconds }: AppOptions) {
  const folder = dataFolder ?? mkdtempSync(join(tmpdir(), 'parley-exam-'))
  context.onEnd(() => rmSync(folder, { recursive: true, force: true }))
  const administration = await openAdministration(folder)
  const app = await administration.createApp({
    algorithm: 'ES256',
    ...(sessionSeconds !== undefined && { sessionSeconds }),
  })
  await administration.close()
  return { folder, app, minter: minterOf(app) }
}

export const minterOf = (
  { providerId, keyId, privateKeyPem: privateKey }: CreatedApp,
  options: { readonly now?: () => number } = {},
) => createIdentityTokenMinter({ providerId, keyId, privateKey, ...options })

/** A server as its visitors see it. */
export abstract class ReachableServer {
  readonly dataFolder: string
  readonly app: CreatedApp
  /** Who signs for the app; another key may take over. */
  minter: IdentityTokenMinter
  abstract readonly port: number
  abstract readonly record: ProcessRecord

  constructor(dataFolder: string, app: CreatedApp, minter: IdentityTokenMinter) {
    this.dataFolder = dataFolder
    this.app = app
    this.minter = minter
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get websocketUrl(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  /** Signs in over HTTP, without the SDK. */
  async signIn(userId: string): Promise<string> {
    const { nonce } = (await this.request('POST', '/nonces')) as { nonce: string }
    const token = await this.minter.mint({ userId, nonce })
    const opened = await this.request('POST', '/sessions', { identity_token: token, app_id: this.app.appId })
    return (opened as { session_token: string }).session_token
  }

  /** One call of the HTTP interface; throws unless it succeeds. */
  async request(method: string, path: string, body?: unknown, sessionToken?: string): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        accept: 'application/vnd.layer+json; version=2.0',
        'content-type': 'application/json',
        ...(sessionToken && { authorization: `Layer session-token="${sessionToken}"` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text.slice(0, 200)}`)
    return text ? JSON.parse(text) : undefined
  }
}
