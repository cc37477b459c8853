import type { Socket } from 'node:net'
import type { TargetState } from './balancer.ts'

/** One node as the balancer sees it: in or out, and the connections passed on to it. */
export class Target implements TargetState {
  readonly host: string
  readonly port: number
  isIn = true
  readonly #sockets = new Set<Socket>()
  readonly #onChange: (target: TargetState, reason: string) => void

  constructor(
    { host = '127.0.0.1', port }: { readonly host?: string; readonly port: number },
    onChange: (target: TargetState, reason: string) => void,
  ) {
    this.host = host
    this.port = port
    this.#onChange = onChange
  }

  get open(): number {
    return this.#sockets.size
  }

  /** Counts a connection in; the answer counts it out. */
  take(socket: Socket): () => void {
    this.#sockets.add(socket)
    return () => void this.#sockets.delete(socket)
  }

  putIn(reason: string): void {
    this.#change(true, reason)
  }

  takeOut(reason: string): void {
    this.#change(false, reason)
  }

  /** Whoever is on it learns at once what silence would tell them in half a minute. */
  cut(): void {
    for (const socket of [...this.#sockets]) socket.resetAndDestroy()
  }

  #change(isIn: boolean, reason: string): void {
    if (this.isIn === isIn) return
    this.isIn = isIn
    this.#onChange(this, reason)
  }
}
