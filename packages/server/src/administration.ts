import { randomUUID } from 'node:crypto'
import { isTemporary, isUserId, limits, parseUuid, type UserId, type Uuid } from '@parley/protocol'
import { generateProviderKey, importPublicKey, type SigningAlgorithm } from '@parley/token'
import type { AppKey } from './model/state.ts'
import { openStore, type StorePlace } from './open-store.ts'
import { WriteLane } from './operations/lane.ts'
import { suspendUser } from './operations/suspend-user.ts'
import type { App, ProviderKey, Store } from './store/store.ts'

/** A request of the operator that cannot be done; the sentence says why. */
export class AdministrationError extends Error {
  override readonly name = 'AdministrationError'
  readonly code: 'not_found' | 'invalid'
  constructor(code: AdministrationError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export interface CreatedApp {
  readonly appId: string
  readonly name: string
  readonly environment: 'staging' | 'production'
  readonly providerId: string
  readonly keyId: string
  readonly algorithm: SigningAlgorithm
  /** PKCS #8 in PEM. Parley keeps only the public half: this is the one time it is shown. */
  readonly privateKeyPem: string
  readonly publicKeyPem: string
}

export interface AddedKey {
  readonly keyId: string
  readonly algorithm: SigningAlgorithm
  /** Present when the pair was made here. */
  readonly privateKeyPem: string | null
}

/** What an operator does to a store; it may be done while a server runs on it. */
export interface Administration {
  createApp(options?: {
    readonly name?: string
    readonly environment?: 'staging' | 'production'
    readonly algorithm?: SigningAlgorithm
    /** How long sessions last, 30 to 31,536,000; default: as long as the identity token. */
    readonly sessionSeconds?: number
    /** Where the provider publishes its keys. */
    readonly jwksUrl?: string
  }): Promise<CreatedApp>
  listApps(): Promise<readonly { readonly appId: string; readonly name: string; readonly createdAt: string }[]>
  /** Registers another key of the app's provider: the given public key, or a new pair. */
  addKey(
    appId: string,
    options?: { readonly algorithm?: SigningAlgorithm; readonly publicKey?: string },
  ): Promise<AddedKey>
  /** From now on no token signed with this key opens or prolongs a session. Live sessions go on until they end. */
  disableKey(keyId: string): Promise<void>
  /** Ends all sessions of an identity; a running server closes their sockets within a second. Answers how many. */
  revokeSessions(appId: string, userId: string): Promise<number>
  /**
   * Nobody gets into the app any more: sessions end (a running server closes their sockets within a second), and none is
   * opened or prolonged. What is stored stays. Answers how many sessions ended.
   */
  suspendApp(appId: string): Promise<number>
  resumeApp(appId: string): Promise<void>
  /** Likewise one person, whether they were seen before or not. */
  suspendUser(appId: string, userId: string): Promise<number>
  resumeUser(appId: string, userId: string): Promise<void>
  /** Pages of these origins may connect to the app, and no others; null for any. Heeded by whoever connects from now on. */
  allowOrigins(appId: string, origins: readonly string[] | null): Promise<void>
  close(): Promise<void>
}

/** Opens a store for administration, by its folder or its address, making it if there is none. */
export async function openAdministration(place: string | StorePlace): Promise<Administration> {
  const store = await openStore(typeof place === 'string' ? { dataFolder: place } : place)
  const { apps } = store

  async function appOf(appId: string): Promise<App> {
    const uuid = parseUuid(appId.slice(appId.lastIndexOf('/') + 1))
    const app = uuid && (await apps.byId(uuid))
    if (!app) throw new AdministrationError('not_found', `There is no app ${appId}. List them with: parley apps list`)
    return app
  }

  return {
    async createApp(options = {}) {
      const { name = 'App', environment = 'staging', algorithm = 'RS256', sessionSeconds, jwksUrl } = options
      checkSessionSeconds(sessionSeconds)
      checkJwksUrl(jwksUrl)
      const id = randomUUID() as Uuid
      const provider = randomUUID() as Uuid
      const pair = await generateProviderKey(algorithm)
      await apps.create(
        {
          key: 0 as AppKey,
          id,
          environment,
          name,
          sessionSeconds: sessionSeconds ?? null,
          allowedOrigins: null,
          createdAt: Date.now(),
          suspendedAt: null,
        },
        { id: provider, app: 0 as AppKey, jwksUrl: jwksUrl ?? null },
        storedKey(pair.keyId, provider, pair.algorithm, pair.publicJwk),
      )
      return {
        appId: `layer:///apps/${environment}/${id}`,
        name,
        environment,
        providerId: `layer:///providers/${provider}`,
        keyId: pair.keyId,
        algorithm: pair.algorithm,
        privateKeyPem: pair.privateKeyPem,
        publicKeyPem: pair.publicKeyPem,
      }
    },
    async listApps() {
      return (await apps.all()).map((app) => ({
        appId: `layer:///apps/${app.environment}/${app.id}`,
        name: app.name,
        createdAt: new Date(app.createdAt).toISOString(),
      }))
    },
    async addKey(appId, { algorithm = 'RS256', publicKey } = {}) {
      const app = await appOf(appId)
      const [provider] = await apps.providersOf(app.key)
      if (!provider) throw new AdministrationError('not_found', `The app ${appId} has no provider.`)
      if (publicKey !== undefined) {
        const imported = await importPublicKey(publicKey)
        if (!imported.ok) throw new AdministrationError('invalid', imported.sentence)
        const keyId = `layer:///keys/${randomUUID()}`
        await apps.putKey(storedKey(keyId, provider.id, imported.algorithm, imported.publicJwk))
        return { keyId, algorithm: imported.algorithm, privateKeyPem: null }
      }
      const pair = await generateProviderKey(algorithm)
      await apps.putKey(storedKey(pair.keyId, provider.id, pair.algorithm, pair.publicJwk))
      return { keyId: pair.keyId, algorithm: pair.algorithm, privateKeyPem: pair.privateKeyPem }
    },
    async disableKey(keyId) {
      const key = await apps.key(bareKeyId(keyId))
      if (!key) throw new AdministrationError('not_found', `There is no key ${keyId}.`)
      await apps.putKey({ ...key, state: 'disabled' })
    },
    async revokeSessions(appId, userId) {
      const app = await appOf(appId)
      if (!isUserId(userId)) throw new AdministrationError('invalid', 'This cannot be a user id.')
      return apps.endSessionsOf(app.key, userId, Date.now())
    },
    async suspendApp(appId) {
      const app = await appOf(appId)
      const now = Date.now()
      // First the door, then the room: nobody slips in between.
      await apps.putApp({ ...app, suspendedAt: app.suspendedAt ?? now })
      return apps.endSessionsOfApp(app.key, now)
    },

    async resumeApp(appId) {
      await apps.putApp({ ...(await appOf(appId)), suspendedAt: null })
    },

    async suspendUser(appId, userId) {
      const app = await appOf(appId)
      if (!isUserId(userId)) throw new AdministrationError('invalid', 'This cannot be a user id.')
      const now = Date.now()
      await setSuspension(store, app.key, userId, now)
      return apps.endSessionsOf(app.key, userId, now)
    },

    async resumeUser(appId, userId) {
      const app = await appOf(appId)
      if (!isUserId(userId)) throw new AdministrationError('invalid', 'This cannot be a user id.')
      await setSuspension(store, app.key, userId, null)
    },

    async allowOrigins(appId, origins) {
      for (const origin of origins ?? []) checkOrigin(origin)
      await apps.putApp({ ...(await appOf(appId)), allowedOrigins: origins })
    },

    close: () => store.close(),
  }
}

/** Tries while a running server commits as well: of two who write, one has to look again. */
const MAX_TRIES = 200
const TRY_AGAIN_MS = 10

/**
 * By a commit like any other: a server that runs on the same store notices that somebody else wrote, forgets what it
 * remembered of people, and decides anew what it was asked just then.
 */
async function setSuspension(store: Store, app: AppKey, userId: UserId, suspendedAt: number | null): Promise<void> {
  for (let tries = 1; ; tries++) {
    const lane = new WriteLane({ store, publish: () => undefined, now: Date.now, log: () => undefined })
    const input = { userId, suspendedAt }
    const outcome = await lane.submit({ operation: suspendUser, input, app, userId: null })
    if ('result' in outcome) return
    if (!isTemporary(outcome.refusal.id) || tries === MAX_TRIES) throw new Error(`Refused: ${outcome.refusal.id}`)
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS))
  }
}

function checkOrigin(origin: string): void {
  // Compared letter by letter: a pattern would allow nothing, and look as if it did.
  const isOne =
    !origin.includes('*') &&
    URL.canParse(origin) &&
    /^https?:$/.test(new URL(origin).protocol) &&
    new URL(origin).origin === origin
  if (!isOne) throw new AdministrationError('invalid', `An origin looks like https://example.com, not like ${origin}.`)
}

function checkSessionSeconds(seconds: number | undefined): void {
  const { minSessionSeconds: min, maxSessionSeconds: max } = limits
  if (seconds === undefined || (Number.isInteger(seconds) && seconds >= min && seconds <= max)) return
  throw new AdministrationError('invalid', `Sessions last a whole number of seconds from ${min} to ${max}.`)
}

function checkJwksUrl(url: string | undefined): void {
  if (url === undefined) return
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isUsable = parsed && /^https?:$/.test(parsed.protocol) && parsed.username === '' && parsed.password === ''
  if (!isUsable)
    throw new AdministrationError('invalid', 'The address of a key set looks like https://example.com/keys.')
}

const bareKeyId = (keyId: string): string => keyId.slice(keyId.lastIndexOf('/') + 1).toLowerCase()

const storedKey = (keyId: string, provider: Uuid, algorithm: SigningAlgorithm, publicJwk: object): ProviderKey => ({
  id: bareKeyId(keyId),
  provider,
  algorithm,
  publicJwk: publicJwk as ProviderKey['publicJwk'],
  state: 'active',
  createdAt: Date.now(),
})
