/**
 * The bus between the nodes of a deployment. The store is the truth, the bus is a hint: whatever is put on it may be
 * lost, doubled, reordered or late, and whoever listens must not mind. It carries bytes; what they say is in
 * `messages.ts`, and `exchange.ts` speaks it.
 */
export interface Bus {
  readonly state: BusState
  /** For whoever operates it. */
  readonly counts: Readonly<BusCounts>
  /** Tells all other nodes that listen. Never throws and never waits; while the bus is away it is lost, and counted. */
  publish(channel: Channel, payload: Uint8Array): void
  /** Hears what other nodes publish on a channel; never what this one does. The answer stops it. */
  subscribe(channel: Channel, hear: (payload: Uint8Array) => void): () => void
  /** Tells each change of state, once. The answer stops it. */
  watch(watcher: (state: BusState) => void): () => void
  /** Resolves when the bus has taken in what was published and subscribed before: true if it did, false if it is away. */
  flush(): Promise<boolean>
  /** Safe to call twice. */
  close(): Promise<void>
}

/**
 * `changes` and `signals` may be spread over several partitions, by the app and stream they concern; `nodes` and `people`
 * are heard by every node, and what is said `to` a node by that one alone.
 */
export type Channel = `changes.${number}` | `signals.${number}` | 'nodes' | 'people' | `to.${string}`

export type BusState =
  | { readonly state: 'connected' }
  /** Since then nothing can be relied on; the store has to be looked at. */
  | { readonly state: 'degraded'; readonly sinceMs: number }

export interface BusCounts {
  published: number
  publishedBytes: number
  received: number
  receivedBytes: number
  /** Published while the bus was away or too slow, or larger than it takes. */
  dropped: number
  /** Times that the connection was lost. */
  losses: number
}

/** Largest payload of one message on the bus, in bytes; NATS takes 1 MiB unless told otherwise. */
export const MAX_PAYLOAD_BYTES = 512 * 1024

export const noCounts = (): BusCounts => ({
  published: 0,
  publishedBytes: 0,
  received: 0,
  receivedBytes: 0,
  dropped: 0,
  losses: 0,
})
