import { closeCodes } from '@parley/protocol'
import type { Change, Listener, Typing } from '../../delivery/change.ts'
import type { Session } from '../../model/state.ts'
import type { Edge } from '../edge.ts'
import type { Socket } from '../sockets/socket.ts'

/** One socket of a Layer Web SDK. */
export class LayerConnection implements Listener {
  readonly #socket: Socket
  readonly #release: (() => void)[]

  constructor(edge: Edge, socket: Socket, session: Session) {
    this.#socket = socket
    this.#release = [
      edge.delivery.listen(session.app, session.userId, this),
      edge.sessions.hold(session, { ended: () => this.#close(closeCodes.sessionEnded), renewed: () => undefined }),
    ]
  }

  receive(_text: string): void {}
  change(_change: Change): void {}
  typing(_typing: Typing): void {}
  tooSlow(): void {
    this.#close(closeCodes.tooSlow)
  }
  drain(): void {
    this.#close(closeCodes.goingAway)
  }
  gone(): void {
    for (const release of this.#release.splice(0)) release()
  }
  #close(code: number): void {
    this.#socket.close(code)
    this.gone()
  }
}
