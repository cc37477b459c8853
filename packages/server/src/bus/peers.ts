import type { NodeLife } from './messages.ts'

/** Between two signs of life of a node, and between two looks at who gave one. */
export const BEAT_MS = 2_000
/** Beats after which a silent node is one to worry about: it may be cut off and commit all the same, or we may be. */
const SILENT_AFTER = 3
/** Beats after which it is held for dead; what its people did ends with it. Below 45 s, all told. */
const DEAD_AFTER = 18
/** Nodes remembered, the dead among them; those that began their life longest ago are forgotten first. */
const MAX_NODES = 10_000

/**
 * What a message's sender is to us: heard for the first time in this life, known, held for dead in this life, or a life
 * that a later one has followed.
 */
export type Standing = 'new' | 'known' | 'dead' | 'past'

interface Peer {
  readonly incarnation: number
  silentBeats: number
  isDead: boolean
}

/**
 * The other nodes. Time is counted in beats of this node's own timer instead of a clock: a node that slept, or whose clock
 * jumped, takes nobody for dead. Whoever was held for dead comes back with a new incarnation only, so that nothing that
 * was under way from the old one brings its people back to life.
 */
export class Peers {
  readonly #peers = new Map<string, Peer>()

  hear({ node, incarnation }: NodeLife): Standing {
    const peer = this.#peers.get(node)
    if (!peer || incarnation > peer.incarnation) {
      this.#put(node, { incarnation, silentBeats: 0, isDead: false })
      return 'new'
    }
    if (incarnation < peer.incarnation) return 'past'
    if (peer.isDead) return 'dead'
    peer.silentBeats = 0
    return 'known'
  }

  /** It said good-bye. Answers whether that was news. */
  left({ node, incarnation }: NodeLife): boolean {
    const peer = this.#peers.get(node)
    if (peer && (incarnation < peer.incarnation || peer.isDead)) return false
    this.#put(node, { incarnation, silentBeats: 0, isDead: true })
    return peer !== undefined
  }

  /** The last life of a node that was heard of. */
  lifeOf(node: string): NodeLife | undefined {
    const peer = this.#peers.get(node)
    return peer && { node, incarnation: peer.incarnation }
  }

  /** One beat passed. Answers who is held for dead from now on. */
  beat(): NodeLife[] {
    const died: NodeLife[] = []
    for (const [node, peer] of this.#peers) {
      if (peer.isDead || ++peer.silentBeats < DEAD_AFTER) continue
      peer.isDead = true
      died.push({ node, incarnation: peer.incarnation })
    }
    return died
  }

  /** Somebody alive has not been heard for long: who cannot hear one may not hear others. */
  get isAnybodySilent(): boolean {
    for (const { isDead, silentBeats } of this.#peers.values()) if (!isDead && silentBeats >= SILENT_AFTER) return true
    return false
  }

  get alive(): readonly NodeLife[] {
    return [...this.#peers].flatMap(([node, { incarnation, isDead }]) => (isDead ? [] : [{ node, incarnation }]))
  }

  #put(node: string, peer: Peer): void {
    this.#peers.delete(node)
    this.#peers.set(node, peer)
    if (this.#peers.size > MAX_NODES) this.#peers.delete(this.#peers.keys().next().value as string)
  }
}
