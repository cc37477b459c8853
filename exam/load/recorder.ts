import type { Operation } from '../checker/history.ts'

/** Milliseconds of the exam's own clock: what every moment in a history is told in. */
export const now = (): number => performance.now()

type Invoked = Omit<Operation, 'outcome' | 'order' | 'id'>

/** Keeps every operation from when it is asked for to what becomes of it. */
export class Recorder {
  readonly #operations = new Map<number, Operation>()
  readonly #orders = new Map<string, number>()
  /** Names operations until the SDK does. */
  #count = 0
  acknowledged = 0

  /** Records a call of the SDK; `started` is what the call gave. */
  async record<
    T extends { readonly operationId: string; readonly acknowledged: Promise<unknown>; readonly id?: unknown },
  >(invoked: Omit<Invoked, 'invokedAt'>, call: () => Promise<T | undefined>): Promise<T | undefined> {
    const number = this.#count++
    const operation = { ...invoked, id: `call ${number}`, order: number, invokedAt: now() }
    this.#operations.set(number, { ...operation, outcome: { state: 'unknown' } })
    const started = await call().catch((error: { code?: string }) => {
      // It was not even taken on.
      const outcome = { state: 'failed' as const, at: now(), reason: error.code ?? String(error) }
      this.#operations.set(number, { ...operation, outcome })
      throw error
    })
    if (!started) {
      this.#operations.delete(number)
      return undefined
    }
    const known = {
      ...operation,
      id: started.operationId,
      ...(invoked.name === 'send-message' && { message: String(started.id) }),
    }
    this.#operations.set(number, { ...known, outcome: { state: 'unknown' } })
    started.acknowledged.then(
      (result) => {
        this.acknowledged++
        const position = (result as { position?: number } | undefined)?.position
        const outcome = { state: 'ok' as const, at: now(), ...(position !== undefined && { position }) }
        this.#operations.set(number, { ...known, outcome })
      },
      (error: { code?: string; refusal?: { id?: string } }) => {
        if (error.code !== 'refused' && error.code !== 'discarded') return
        const reason = error.refusal?.id ?? error.code
        this.#operations.set(number, { ...known, outcome: { state: 'failed', at: now(), reason } })
      },
    )
    return started
  }

  /** The outbox of a device gave an operation its place. */
  placed(operationId: string, order: number): void {
    if (!this.#orders.has(operationId)) this.#orders.set(operationId, order)
  }

  get operations(): readonly Operation[] {
    return [...this.#operations.values()].map((one) => ({ ...one, order: this.#orders.get(one.id) ?? one.order }))
  }

  /** Operations of which nothing was heard yet, though their call returned. */
  unsettledOf(device: string): readonly string[] {
    return [...this.#operations.values()].flatMap((one) =>
      one.device === device && one.outcome.state === 'unknown' ? [`${one.name} ${one.body ?? one.id}`] : [],
    )
  }
}
