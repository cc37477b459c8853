import { BatchNumbers } from './batch-numbers.ts'
import { decodeBatch, type ReadBatch } from './batch-text.ts'
import type { Channel } from './bus.ts'
import { type Channels, channelTo } from './channels.ts'
import type { NodeLife, NodeMessage } from './messages.ts'
import type { Fault, Seal } from './seal.ts'

/** Who said something. */
export interface From extends NodeLife {
  /** Names this life of the node: nothing said in another one is confused with it. */
  readonly life: string
  /** What has a higher number was said later, on this channel in this life. */
  readonly number: number
}

/** What one node said at once on one channel. */
export interface Heard {
  readonly batch: ReadBatch
  readonly from: From
  /** Its number tells that something before it never came. */
  readonly isMissing: boolean
}

export interface HearerOptions {
  readonly seal: Seal
  readonly channels: Channels
  /** This node in its present life. */
  readonly own: () => NodeLife
  /** What was passed over, by reason: counted here. */
  readonly counts: Record<Fault | 'repeated' | 'own', number>
  /** Another node bears the name of this one. */
  readonly onNamesake: (life: NodeLife) => void
}

/**
 * This node's ear, as the speaker is its mouth: it opens what comes, passes over what is no node's, this one's own or
 * heard before, and knows by the numbers what never came. Whether its sender may still be heard is for the exchange.
 */
export class Hearer {
  readonly #options: HearerOptions
  readonly #numbers = new BatchNumbers()

  constructor(options: HearerOptions) {
    this.#options = options
  }

  /** Undefined if there is nothing in it to be heard. */
  hear(channel: Channel, payload: Uint8Array): Heard | undefined {
    const { seal, counts, own } = this.#options
    const opened = seal.open(channel, payload)
    const batch = 'fault' in opened ? undefined : decodeBatch(opened.text)
    if (!batch) {
      counts['fault' in opened ? opened.fault : 'malformed'] += 1
      return undefined
    }
    const { node, incarnation, number } = batch
    if (node === own().node) {
      this.#hearOwn(batch)
      return undefined
    }
    const numbered = this.#numbers.hear(batch, channel, number)
    if (numbered === 'repeat') {
      counts.repeated += 1
      return undefined
    }
    const from = { node, incarnation, life: lifeName(batch), number }
    return { batch, from, isMissing: numbered === 'missing' }
  }

  /** What a node said last, compared with what was heard of it: the channels on which something never came. */
  missing({ heads, to }: Extract<NodeMessage, { readonly type: 'beat' }>, from: NodeLife): readonly Channel[] {
    const { channels, own } = this.#options
    const { node } = own()
    const isMissing = (channel: Channel, head = 0) => this.#numbers.headIs(from, channel, head) === 'missing'
    const missing = channels.all.filter((channel) => isMissing(channel, heads[channel]))
    return isMissing(channelTo(node), to?.[node]?.said) ? [...missing, channelTo(node)] : missing
  }

  /** Told by others in our name, or by somebody who bears the same. */
  #hearOwn(life: NodeLife): void {
    const { counts, own, onNamesake } = this.#options
    counts.own += 1
    if (life.incarnation > own().incarnation) onNamesake(life)
  }
}

export const lifeName = ({ node, incarnation }: NodeLife): string => `${node} ${incarnation}`
