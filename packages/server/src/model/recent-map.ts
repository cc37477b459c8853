import { AppMap } from './app-map.ts'
import type { AppKey } from './state.ts'

/** Takes one change back. */
export type Undo = () => void

/**
 * What was used lately, by app and key. Two generations: what is used moves into the young one, and when that has grown
 * to half of what may be kept, it becomes the old one and what was old is forgotten. A list in the order of use would be
 * exacter and would cost two writes for each read.
 */
export class RecentMap<Value> {
  #young = new AppMap<Value>()
  #old = new AppMap<Value>()

  get(app: AppKey, key: string): Value | undefined {
    const known = this.#young.get(app, key)
    if (known !== undefined) return known
    const kept = this.#old.get(app, key)
    if (kept !== undefined) this.#young.set(app, key, kept)
    return kept
  }

  set(app: AppKey, key: string, value: Value): void {
    this.#young.set(app, key, value)
  }

  /** Sets a value and answers with what takes it back. */
  put(app: AppKey, key: string, value: Value): Undo {
    const before = this.get(app, key)
    this.#young.set(app, key, value)
    return () => {
      if (before === undefined) this.#young.delete(app, key)
      else this.#young.set(app, key, before)
    }
  }

  delete(app: AppKey, key: string): void {
    this.#young.delete(app, key)
    this.#old.delete(app, key)
  }

  /** Forgets what was not used for long: at most one and a half times `max` is left. */
  trim(max: number): void {
    if (this.#young.size * 2 <= max) return
    this.#old = this.#young.size <= max ? this.#young : new AppMap()
    this.#young = new AppMap()
  }

  clear(): void {
    this.#young = new AppMap()
    this.#old = new AppMap()
  }
}
