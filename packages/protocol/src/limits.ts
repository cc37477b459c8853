import { clientLimits } from './client-limits.ts'

/** Every bound a peer can run into. Those that only the server minds are here, so that no app loads them. */
export const limits = {
  ...clientLimits,
  /** Nesting of any JSON value we accept: `JSON.stringify` and structured clone fail on what `JSON.parse` takes. */
  maxJsonDepth: 32,
  /** Participants of one conversation, the creator included, unless the server is set otherwise. */
  maxParticipants: 25,
  /** Length of an identity token, in characters. */
  maxIdentityTokenLength: 8192,
  /** Operations of one connection that await their acknowledgement; further ones are refused for the moment. */
  maxOperationsInFlight: 256,
  /** Typing signals of one connection: so many at once, then so many a second. Further ones reach nobody. */
  maxTypingBurst: 20,
  maxTypingPerSecond: 10,
  /** A page of a REST list. */
  maxPageSize: 100,
  /** A page of identities. */
  maxIdentityPageSize: 500,
  /** Runs of messages one may delete from one's own devices in a conversation. */
  maxHiddenRanges: 2_000,
  /** How far the clocks of a provider and the server may differ. */
  clockLeewayMs: 5_000,
  /** Shortest and longest session an app may configure. */
  minSessionSeconds: 30,
  maxSessionSeconds: 31_536_000,
  /** How long the outcome of an operation that created nothing is remembered for a retry. */
  operationMemoryMs: 30 * 24 * 3_600_000,
  /** Length of the strings of an identity's profile. */
  maxNameLength: 128,
  maxAvatarUrlLength: 1024,
} as const
