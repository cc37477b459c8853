import { type IdentityId, identityId, parseIdentityId, type UserId } from '@parley/protocol'
import type { AppKey } from '../../model/state.ts'
import type { Edge } from '../edge.ts'
import type { Viewer } from './changes/telling.ts'
import { objectName, type Packet, setProperty, updated } from './packets.ts'
import { iso } from './views/address.ts'

/** What somebody can say of themselves; `auto`: what they said last, or available. */
export const SAYABLE = ['auto', 'available', 'away', 'busy', 'offline'] as const
type Said = (typeof SAYABLE)[number]
const KNOWN = ['available', 'away', 'busy', 'invisible'] as const
type Status = (typeof KNOWN)[number] | 'offline'

/** Acquaintances that are told of a change, or asked about. */
const MAX_ACQUAINTANCES = 10_000

/** Presence as Layer's clients know it: whoever has a connection of any kind is available, unless they said otherwise. */
export class Presence {
  readonly #edge: Edge
  /** App → who of it subscribed → their sockets. */
  readonly #subscribers = new Map<AppKey, Map<UserId, Set<(packet: Packet) => void>>>()
  readonly #startedAt: number

  constructor(edge: Edge) {
    this.#edge = edge
    this.#startedAt = edge.clock.now()
    edge.attendance.watch((app, userId) => this.#changed(app, userId))
  }

  /** Tells a socket of changes from now on; the answer stops it. */
  subscribe(viewer: Viewer, hear: (packet: Packet) => void): () => void {
    const ofApp = this.#subscribers.get(viewer.app) ?? new Map<UserId, Set<(packet: Packet) => void>>()
    this.#subscribers.set(viewer.app, ofApp)
    const sockets = ofApp.get(viewer.userId) ?? new Set()
    ofApp.set(viewer.userId, sockets.add(hear))
    return () => {
      sockets.delete(hear)
      if (sockets.size === 0 && ofApp.get(viewer.userId) === sockets) ofApp.delete(viewer.userId)
    }
  }

  say(viewer: Viewer, said: Said): void {
    if (said === 'auto') return
    this.#edge.attendance.say(viewer.app, viewer.userId, said === 'offline' ? 'invisible' : said)
  }

  /** The presence of those named, each of them: of strangers that they are offline. */
  async named(viewer: Viewer, ids: readonly string[]): Promise<object[]> {
    const known = await this.#acquaintances(viewer.app, viewer.userId)
    return ids.flatMap((id) => {
      const userId = parseIdentityId(id, { allowBare: true })
      if (userId === undefined) return []
      const isVisible = userId === viewer.userId || known.has(userId)
      return [this.#packet(viewer, userId, isVisible).body]
    })
  }

  /** The presence of acquaintances that changed since a time, as far as this process remembers. */
  async since(viewer: Viewer, sinceMs: number): Promise<object[]> {
    const known = await this.#acquaintances(viewer.app, viewer.userId)
    const isBeforeUs = sinceMs < this.#startedAt
    return [...known]
      .filter((userId) => isBeforeUs || this.#edge.attendance.of(viewer.app, userId).changedAt >= sinceMs)
      .map((userId) => this.#packet(viewer, userId, true).body)
  }

  #changed(app: AppKey, userId: UserId): void {
    void this.#announce(app, userId).catch((error) => {
      this.#edge.log('a presence could not be told', { error: String(error) })
    })
  }

  async #announce(app: AppKey, userId: UserId): Promise<void> {
    const subscribers = this.#subscribers.get(app)
    if (!subscribers || subscribers.size === 0) return
    for (const hear of subscribers.get(userId) ?? []) hear(this.#packet({ app, userId }, userId, true))
    if (subscribers.size === 1 && subscribers.has(userId)) return
    const known = await this.#acquaintances(app, userId)
    for (const [other, sockets] of subscribers) {
      if (!known.has(other)) continue
      const packet = this.#packet({ app, userId: other }, userId, true)
      for (const hear of sockets) hear(packet)
    }
  }

  #packet(viewer: Viewer, userId: UserId, isVisible: boolean): Packet {
    const id: IdentityId = identityId(userId)
    const status = isVisible ? this.#status(viewer, userId) : 'offline'
    const seenAt = !isVisible
      ? 0
      : status === 'offline'
        ? this.#edge.attendance.of(viewer.app, userId).seenAt
        : this.#edge.clock.now()
    return updated(objectName(this.#edge.baseUrl(), 'Identity', id), [
      setProperty('presence.status', status),
      // The SDK would make 1970 of null.
      ...(seenAt > 0 ? [setProperty('presence.last_seen_at', iso(seenAt))] : []),
    ])
  }

  #status(viewer: Viewer, userId: UserId): Status {
    const { isHere, status: said } = this.#edge.attendance.of(viewer.app, userId)
    if (!isHere) return 'offline'
    // Another server may know words that this one does not.
    const status = KNOWN.find((one) => one === said) ?? 'available'
    return status === 'invisible' && viewer.userId !== userId ? 'offline' : status
  }

  async #acquaintances(app: AppKey, userId: UserId): Promise<ReadonlySet<UserId>> {
    const page = { from: null, limit: MAX_ACQUAINTANCES }
    const { items } = await this.#edge.store.lists.acquaintances(app, userId, page)
    return new Set(items.map((profile) => profile.userId))
  }
}
