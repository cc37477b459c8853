import type { AppKey } from './state.ts'

/**
 * Values by app and key. Two look-ups instead of one under a joined name, because a name would have to be put together
 * and hashed for each of them, while ids and the hashes of ids are there already: this is asked a dozen times for each
 * operation.
 */
export class AppMap<Value> {
  readonly #apps = new Map<AppKey, Map<string, Value>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(app: AppKey, key: string): Value | undefined {
    return this.#apps.get(app)?.get(key)
  }

  set(app: AppKey, key: string, value: Value): void {
    const values = this.#apps.get(app) ?? new Map<string, Value>()
    if (values.size === 0) this.#apps.set(app, values)
    const before = values.size
    values.set(key, value)
    this.#size += values.size - before
  }

  delete(app: AppKey, key: string): void {
    if (this.#apps.get(app)?.delete(key)) this.#size--
  }

  /** In the order they were first set, app by app. */
  values(): Value[] {
    if (this.#apps.size === 1) for (const values of this.#apps.values()) return [...values.values()]
    return [...this.#apps.values()].flatMap((values) => [...values.values()])
  }
}
