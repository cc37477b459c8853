/**
 * The two steps of signing in that the server answers, whichever door they come by: HTTP, for Layer's clients and for
 * whoever likes it, and the socket, for ours.
 */
import { parseUuid, type Refusal, refuse, type Uuid } from '@parley/protocol'
import type { OpenedSession } from '../authentication/sessions.ts'
import type { Edge } from './edge.ts'
import { isOriginOf } from './origins.ts'

type Refused = { readonly refusal: Refusal }

/** A nonce for an app that is here and not suspended; where none is named, one that is good for any. */
export async function giveNonce(
  { sessions, knownApps }: Pick<Edge, 'sessions' | 'knownApps'>,
  appId: string | undefined,
): Promise<{ readonly nonce: string } | Refused> {
  if (appId === undefined) return { nonce: sessions.nonce(null) }
  const named = readAppId(appId)
  if (!named) return refuse('invalid_app_id')
  const app = await knownApps.find(named.uuid)
  if (!app || (named.environment ?? app.environment) !== app.environment) return refuse('invalid_app_id')
  return app.suspendedAt === null ? { nonce: sessions.nonce(app.id) } : refuse('app_suspended')
}

/** Opens a session for the user of an identity token. */
export async function signIn(
  { sessions }: Pick<Edge, 'sessions'>,
  asked: {
    readonly appId: string
    readonly identityToken: string
    /** Of the page that asks; undefined for programs. */
    readonly origin: string | undefined
  },
): Promise<OpenedSession | Refused> {
  const named = readAppId(asked.appId)
  if (!named) return refuse('invalid_app_id')
  return sessions.open(named.uuid, asked.identityToken, {
    environment: named.environment,
    mayEnter: (app) => isOriginOf(app, asked.origin),
  })
}

const APP_ID = /^(?:layer:\/\/\/apps\/(staging|production)\/)?([^/]+)$/

/** Reads `layer:///apps/<environment>/<uuid>` or a bare UUID. */
function readAppId(appId: string): { readonly uuid: Uuid; readonly environment: string | undefined } | undefined {
  const [, environment, id = ''] = APP_ID.exec(appId) ?? []
  const uuid = parseUuid(id)
  return uuid && { uuid, environment }
}
