import type { Uuid } from './ids.ts'

/**
 * The catalog of refusals. A refusal is an answer, not an accident: its id never changes once published, its sentence
 * may improve. Numbers up to 111 are Layer's.
 *
 * `retry` says what a client should do: `never` (the answer stands), `later` (nothing happened; ask again after a
 * moment), `after-authentication` (ask again once a session is there).
 */
export const errors = {
  service_unavailable: {
    code: 1,
    status: 503,
    retry: 'later',
    sentence: 'The service is busy. Try again in a moment.',
  },
  invalid_app_id: { code: 2, status: 403, retry: 'never', sentence: 'There is no app with this id.' },
  invalid_request_id: { code: 3, status: 400, retry: 'never', sentence: 'The request id is not valid.' },
  authentication_required: {
    code: 4,
    status: 401,
    retry: 'after-authentication',
    sentence: 'There is no valid session. Obtain an identity token for the nonce given here and open one.',
  },
  app_suspended: { code: 5, status: 403, retry: 'never', sentence: 'This app is suspended.' },
  user_suspended: { code: 6, status: 403, retry: 'never', sentence: 'This user is suspended.' },
  rate_limit_exceeded: { code: 7, status: 429, retry: 'later', sentence: 'Too many requests. Slow down.' },
  request_timeout: { code: 8, status: 408, retry: 'later', sentence: 'The request took too long to arrive.' },
  invalid_operation: { code: 9, status: 422, retry: 'never', sentence: 'This cannot be done in the present state.' },
  invalid_request: { code: 10, status: 400, retry: 'never', sentence: 'The request is malformed.' },
  internal_server_error: { code: 100, status: 500, retry: 'never', sentence: 'The server failed to do this.' },
  access_denied: { code: 101, status: 403, retry: 'never', sentence: 'You have no access to this any more.' },
  not_found: { code: 102, status: 404, retry: 'never', sentence: 'There is no such object.' },
  object_deleted: { code: 103, status: 410, retry: 'never', sentence: 'This object was deleted.' },
  missing_property: { code: 104, status: 422, retry: 'never', sentence: 'A required property is missing.' },
  invalid_property: { code: 105, status: 422, retry: 'never', sentence: 'A property has a value that is not allowed.' },
  invalid_endpoint: { code: 106, status: 404, retry: 'never', sentence: 'There is no such endpoint.' },
  invalid_header: {
    code: 107,
    status: 406,
    retry: 'never',
    sentence: 'A required header is missing or not supported.',
  },
  conflict: { code: 108, status: 409, retry: 'never', sentence: 'A matching object exists with other properties.' },
  method_not_allowed: { code: 109, status: 405, retry: 'never', sentence: 'This method is not allowed here.' },
  participant_blocked: { code: 110, status: 422, retry: 'never', sentence: 'A participant is blocked.' },
  id_in_use: { code: 111, status: 409, retry: 'never', sentence: 'This id names an existing object.' },
  payload_too_large: { code: 112, status: 413, retry: 'never', sentence: 'The request is larger than allowed.' },
  forbidden_origin: {
    code: 113,
    status: 403,
    retry: 'never',
    sentence: 'Pages of this origin may not connect to this app.',
  },
} as const satisfies Record<string, ErrorKind>

interface ErrorKind {
  readonly code: number
  readonly status: number
  readonly retry: 'never' | 'later' | 'after-authentication'
  readonly sentence: string
}

export type ErrorId = keyof typeof errors

/** The error object of every wire: REST bodies, socket responses, acknowledgements. */
export interface WireError {
  readonly id: ErrorId
  readonly code: number
  readonly message: string
  readonly url: string
  readonly data?: unknown
}

/** Why an operation was not done. Returned by the model, turned into a frame or response only at the edge. */
export interface Refusal {
  readonly id: ErrorId
  /** A sentence for a person, more exact than the catalog's. */
  readonly message?: string
  /** The property at fault, the existing object, a fresh nonce … as the kind documents. */
  readonly data?: Readonly<Record<string, unknown>>
  /** With `retry: later`: how long to wait at least. */
  readonly retryAfterMs?: number
  /** For `id_in_use` and `conflict`: the object in the way, which the edge renders for the caller. */
  readonly existing?: { readonly type: 'conversation' | 'message'; readonly id: Uuid }
}

export function refuse(id: ErrorId, details: Omit<Refusal, 'id'> = {}): { readonly refusal: Refusal } {
  return { refusal: { id, ...details } }
}

export const invalidProperty = (property: string, message: string) =>
  refuse('invalid_property', { message, data: { property } })

export const missingProperty = (property: string) =>
  refuse('missing_property', { message: `The property '${property}' is required.`, data: { property } })

/** Where the catalog is explained; a path on every server, which {@link WireError.url} points into. */
export const ERRORS_PATH = '/errors'

export function toWireError(refusal: Refusal): WireError {
  const kind = errors[refusal.id]
  const wire = {
    id: refusal.id,
    code: kind.code,
    message: refusal.message ?? kind.sentence,
    url: `${ERRORS_PATH}#${refusal.id}`,
  }
  return refusal.data === undefined ? wire : { ...wire, data: refusal.data }
}

type TemporaryId = {
  [Id in ErrorId]: (typeof errors)[Id]['retry'] extends 'later' ? Id : never
}[ErrorId]

/** Exactly those of the catalog whose `retry` is `later`; apart, so that a client need not carry the whole catalog. */
const temporary: Readonly<Record<TemporaryId, true>> = {
  service_unavailable: true,
  rate_limit_exceeded: true,
  request_timeout: true,
}

/** Whether asking again, unchanged, can have another outcome. */
export function isTemporary(id: ErrorId): boolean {
  return Object.hasOwn(temporary, id)
}
