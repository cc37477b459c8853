/** Bounds that a client keeps as well: it refuses before it asks, and asks for no more than it is given. */
export const clientLimits = {
  /** One frame or request body, from either side, before decoding. */
  maxFrameBytes: 65_536,
  /** Participants that a server may be set to: a page with all of them still fits one frame that a peer can take. */
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
  /** Streams one pull may name. */
  maxPullStreams: 200,
  /** Rows in one frame of a pull or page. */
  maxRowsPerFrame: 250,
  /** A nonce is good for ten minutes and one use. */
  nonceLifetimeMs: 10 * 60_000,
} as const
