/** The WebSocket subprotocol of Parley's own clients. The number rises when an old peer would misunderstand. */
export const SUBPROTOCOL = 'parley.1'

/** Close codes of our own, beside those of RFC 6455. */
export const closeCodes = {
  /** The session has ended: expired, revoked, or de-authenticated. */
  sessionEnded: 4401,
  /** The peer broke the protocol: a frame it may not send, or not now. */
  protocolError: 4400,
  /** Signing in on this socket was refused. */
  refused: 4403,
  /** The peer said nothing, or nothing valid, in time. */
  timeout: 4408,
  /** The peer reads too slowly; it catches up from its cursor when it returns. */
  tooSlow: 4413,
  /** The server is draining; come back after the delay in `goodbye`. */
  goingAway: 1001,
} as const

/** What a hello must follow within, in milliseconds; a nonce that was asked for gives as long again. */
export const HELLO_TIMEOUT_MS = 10_000
