import type { KnownPeople } from './messages.ts'

/**
 * How long another node may take to say that it knows who is here. Beyond it nobody can rely on hints: whoever it does not
 * know of it tells nothing.
 */
export const CONFIRM_MS = 4_000
/** What was said within this time is taken for said at once, with the first of it. */
const TOGETHER_MS = 50

interface Peer {
  /** Everything said up to this number is known there; 0: nothing, as far as is known. */
  number: number
  /** Since when it is to know something. */
  since: number
  /** It tells this node only what concerns those it knows to be here. Others tell everything. */
  isAlike: boolean
}

/**
 * Whether the other nodes know who is at this one. Somebody came, looked into the store, and from then on lives on what
 * is told; a node that had not heard of them told nothing of what it committed. So each says up to which of this node's words
 * it knows them, and for how long back it has made good what it had not told. What lies before that has to be looked up: a
 * doubt. Pure; times are those of a clock that does not jump.
 */
export class Confirmations {
  readonly #peers = new Map<string, Peer>()
  /** What was said of the people here and is not known everywhere, the oldest first. */
  #said: { number: number; readonly at: number }[] = []

  /** This node said who came, or went, or is here. */
  said(number: number, now: number): void {
    const last = this.#said.at(-1)
    if (last && now - last.at < TOGETHER_MS) last.number = number
    else this.#said.push({ number, at: now })
    this.#forgetKnown()
  }

  came(life: string, now: number): void {
    this.#peers.set(life, { number: 0, since: now, isAlike: false })
  }

  /** A node is gone. Answers whether it may have gone without telling what it committed. */
  gone(life: string): boolean {
    const peer = this.#peers.get(life)
    if (!peer) return false
    this.#peers.delete(life)
    const isUnsure = peer.isAlike && (peer.number === 0 || this.#said.some(({ number }) => number > peer.number))
    this.#forgetKnown()
    return isUnsure
  }

  /**
   * A sign of life came.
   * @param isAlike whether it tells others only what concerns their people
   * @param isAware whether it knows of this life of this node at all
   */
  beat(
    life: string,
    { isAlike, isAware }: { readonly isAlike: boolean; readonly isAware: boolean },
    now: number,
  ): void {
    const peer = this.#peers.get(life)
    if (!peer) return
    peer.isAlike = isAlike
    if (isAware || peer.number === 0) return
    peer.number = 0
    peer.since = now
  }

  /** A node knows who is here. Answers whether something may be missing all the same. */
  known(life: string, { number, reachesMs }: Pick<KnownPeople, 'number' | 'reachesMs'>, now: number): boolean {
    const peer = this.#peers.get(life)
    if (!peer || number <= peer.number) return false
    const isFirst = peer.number === 0
    const isLate = this.#said.some(
      (one) => one.number > peer.number && one.number <= number && now - one.at > reachesMs,
    )
    peer.number = number
    this.#forgetKnown()
    return isFirst || isLate
  }

  /** Whether somebody has not known for long who is here. */
  isLate(now: number): boolean {
    for (const { isAlike, number, since } of this.#peers.values()) {
      if (!isAlike) continue
      const waiting = number === 0 ? since : this.#said.find((one) => one.number > number)?.at
      if (waiting !== undefined && now - waiting > CONFIRM_MS) return true
    }
    return false
  }

  /** This node begins a new life: nobody knows who is here. */
  reborn(now: number): void {
    this.#said = []
    for (const peer of this.#peers.values()) {
      peer.number = 0
      peer.since = now
    }
  }

  /** Whoever is to confirm for the first time is a doubt when they do, however long it took. */
  #forgetKnown(): void {
    let least = Number.POSITIVE_INFINITY
    for (const { number, isAlike } of this.#peers.values()) if (isAlike && number > 0) least = Math.min(least, number)
    const first = this.#said[0]
    if (first && first.number <= least) this.#said = this.#said.filter(({ number }) => number > least)
  }
}
