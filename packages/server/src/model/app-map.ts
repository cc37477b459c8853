import type { AppKey } from './state.ts'

/**
 * Values by app and key. Two look-ups instead of one under a joined name, because a name would have to be put together
 * and hashed for each of them, while ids and the hashes of ids are there already: this is asked a dozen times for each
 * operation.
 */
export class AppMap<Value> {
  readonly #apps = new Map<AppKey, Map<string, Value>>()
  #size = 0
  /** The app asked for last is mostly the one that is asked for next. */
  #lastApp: AppKey | undefined
  #last: Map<string, Value> | undefined

  get size(): number {
    return this.#size
  }

  get(app: AppKey, key: string): Value | undefined {
    return this.#of(app)?.get(key)
  }

  set(app: AppKey, key: string, value: Value): void {
    const values = this.#of(app) ?? this.#begin(app)
    const before = values.size
    values.set(key, value)
    this.#size += values.size - before
  }

  delete(app: AppKey, key: string): void {
    if (this.#of(app)?.delete(key)) this.#size--
  }

  /** In the order they were first set, app by app. */
  values(): Value[] {
    if (this.#apps.size === 1) for (const values of this.#apps.values()) return [...values.values()]
    return [...this.#apps.values()].flatMap((values) => [...values.values()])
  }

  #of(app: AppKey): Map<string, Value> | undefined {
    if (app !== this.#lastApp) {
      this.#lastApp = app
      this.#last = this.#apps.get(app)
    }
    return this.#last
  }

  #begin(app: AppKey): Map<string, Value> {
    const values = new Map<string, Value>()
    this.#apps.set(app, values)
    this.#lastApp = app
    this.#last = values
    return values
  }
}
