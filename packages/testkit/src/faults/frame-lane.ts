import type { SeededChance } from '../seeded-chance.ts'
import type { Direction } from './tcp-proxy.ts'

export type FrameFault = 'drop' | 'duplicate' | 'reorder' | 'truncate' | 'replay'

/** What may happen to some frames. The first rule that fits a frame and whose chance says so is carried out. */
export interface FrameRule {
  readonly fault: FrameFault
  /** How likely, from 0 to 1. */
  readonly likelihood: number
  /** Default: both. */
  readonly direction?: Direction
  /** Only frames of these types; default: all. */
  readonly types?: readonly string[]
  /** `reorder`: so many frames are held back at most, then let go in any order. */
  readonly window?: number
}

export interface FrameLaneOptions {
  readonly direction: Direction
  readonly chance: SeededChance
  readonly rules: () => readonly FrameRule[]
  readonly onBite: (fault: FrameFault) => void
  readonly send: (text: string) => void
}

const DEFAULT_WINDOW = 10
/** Frames that wait for company to be put out of order wait no longer than this. */
const HOLD_MS = 30
/** Old frames that may be said again. */
const MAX_OLD = 50

/** One direction of one connection: decides for each frame what becomes of it. */
export class FrameLane {
  readonly #options: FrameLaneOptions
  #held: string[] = []
  #old: string[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: FrameLaneOptions) {
    this.#options = options
  }

  take(text: string): void {
    const { chance, onBite, send } = this.#options
    const rule = this.#ruleFor(text)
    switch (rule?.fault) {
      case 'reorder':
        this.#hold(text, rule.window ?? DEFAULT_WINDOW)
        return
      case 'drop':
        break
      case 'truncate':
        send(text.slice(0, chance.below(text.length)))
        break
      case 'duplicate':
        send(text)
        send(text)
        break
      case 'replay':
        send(text)
        send(chance.pick(this.#old))
        break
      case undefined:
        send(text)
    }
    if (rule) onBite(rule.fault)
    if (rule?.fault !== 'truncate') this.#remember(text)
  }

  /** Lets go of what is held. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { chance, send, onBite } = this.#options
    const held = this.#held
    this.#held = []
    for (let i = held.length - 1; i > 0; i--) {
      const j = chance.below(i + 1)
      if (i !== j) onBite('reorder')
      ;[held[i], held[j]] = [held[j]!, held[i]!]
    }
    for (const text of held) send(text)
  }

  #hold(text: string, window: number): void {
    this.#held.push(text)
    if (this.#held.length >= window) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), HOLD_MS)
  }

  #remember(text: string): void {
    // A greeting said again is another fault: the server takes it for a broken client.
    if (typeOf(text) === 'hello') return
    this.#old.push(text)
    if (this.#old.length > MAX_OLD) this.#old.shift()
  }

  #ruleFor(text: string): FrameRule | undefined {
    const { direction, rules, chance } = this.#options
    const type = typeOf(text)
    return rules().find(
      (rule) =>
        (rule.direction ?? direction) === direction &&
        (rule.fault !== 'replay' || this.#old.length > 0) &&
        (rule.types === undefined || (type !== undefined && rule.types.includes(type))) &&
        chance.number() < rule.likelihood,
    )
  }
}

function typeOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { type?: string }).type
  } catch {
    return undefined
  }
}
