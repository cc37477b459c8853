/** The part of the store that says who may come in: apps, the providers they trust, their keys, and sessions. */
import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey, Session } from '../model/state.ts'

export interface App {
  readonly key: AppKey
  readonly id: Uuid
  readonly environment: 'staging' | 'production'
  readonly name: string
  /** How long sessions last; null: as long as the identity token that opened them. */
  readonly sessionSeconds: number | null
  /** Pages of which origins may open sockets; null: any. */
  readonly allowedOrigins: readonly string[] | null
  readonly createdAt: number
  readonly suspendedAt: number | null
}

export interface Provider {
  readonly id: Uuid
  readonly app: AppKey
  /** Where the provider publishes its keys, if it does. */
  readonly jwksUrl: string | null
}

export interface ProviderKey {
  /** As tokens name it: a UUID for registered keys, any text for keys from a JWKS address. */
  readonly id: string
  readonly provider: Uuid
  readonly algorithm: 'RS256' | 'ES256' | 'EdDSA'
  readonly publicJwk: Readonly<Record<string, unknown>>
  readonly state: 'active' | 'disabled' | 'deleted'
  readonly createdAt: number
}

export interface RegisteredKey {
  readonly key: ProviderKey
  readonly provider: Provider
}

export interface SignInFacts {
  readonly app: App
  /** The key of that id, if it is registered anywhere. */
  readonly registered: RegisteredKey | undefined
  readonly isSuspended: boolean
}

/** Apps, providers, keys and sessions: small, read often, written by administration and sign-in. */
export interface AppStore {
  /** A secret of the store, made once; the key of nonces. */
  secret(): Promise<string>
  create(app: App, provider: Provider, key: ProviderKey | null): Promise<void>
  all(): Promise<readonly App[]>
  byId(id: Uuid): Promise<App | undefined>
  byKey(key: AppKey): Promise<App | undefined>
  provider(id: Uuid): Promise<Provider | undefined>
  providersOf(app: AppKey): Promise<readonly Provider[]>
  key(id: string): Promise<ProviderKey | undefined>
  /**
   * All that a sign-in asks for, in one look; undefined if there is no such app.
   * @param named what the token names, as far as it names anything
   */
  forSignIn(appId: Uuid, named?: { readonly keyId: string; readonly userId: string }): Promise<SignInFacts | undefined>
  keysOf(provider: Uuid): Promise<readonly ProviderKey[]>
  /** Replaces what may change about an app: its name, the length of its sessions, its origins, whether it is suspended. */
  putApp(app: App): Promise<void>
  putProvider(provider: Provider): Promise<void>
  putKey(key: ProviderKey): Promise<void>
  session(tokenHash: string): Promise<Session | undefined>
  /** Sessions that ended after a time; for processes that did not end them. */
  endedSince(sinceMs: number): Promise<readonly { readonly id: Uuid }[]>
  liveSessionsOf(app: AppKey, userId: UserId): Promise<readonly Session[]>
  /** Ends all live sessions of an identity, from whichever process. Answers how many. */
  endSessionsOf(app: AppKey, userId: UserId, atMs: number): Promise<number>
  /** Likewise of everybody in an app. */
  endSessionsOfApp(app: AppKey, atMs: number): Promise<number>
}
