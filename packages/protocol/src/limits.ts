/** Every bound a peer can run into, in one place. Both ends import it, so that a client refuses before it asks. */
export const limits = {
  /** One frame or request body, from either side, before decoding. */
  maxFrameBytes: 65_536,
  /** Nesting of any JSON value we accept: `JSON.stringify` and structured clone fail on what `JSON.parse` takes. */
  maxJsonDepth: 32,
  /** Participants of one conversation, the creator included, unless the server is set otherwise. */
  maxParticipants: 25,
  /** What a server may be set to: a page with all of them still fits one frame that a peer can take. */
  maxParticipantsAnywhere: 5_000,
  /** Parts of one message. */
  maxParts: 1000,
  /** Inline body of one part, decoded. Larger ones travel as rich content. */
  maxInlinePartBytes: 2048,
  /** MIME type of a part, in code units. */
  maxMimeTypeLength: 255,
  /** One metadata value, UTF-8 encoded. */
  maxMetadataValueBytes: 2048,
  /** Whole metadata of a conversation, as JSON text in code units. */
  maxMetadataLength: 32_768,
  /** Nesting of metadata. */
  maxMetadataDepth: 8,
  /** A metadata key. */
  maxMetadataKeyLength: 128,
  /** Operations in one patch. */
  maxPatchOperations: 256,
  /** Length of an identity token, in characters. */
  maxIdentityTokenLength: 8192,
  /** Streams one pull may name. */
  maxPullStreams: 200,
  /** Rows in one frame of a pull or page. */
  maxRowsPerFrame: 250,
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
  /** A nonce is good for ten minutes and one use. */
  nonceLifetimeMs: 10 * 60_000,
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
