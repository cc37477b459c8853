import type { BasicIdentity } from '@parley/protocol'
import type { Tell } from '../client-types.ts'
import type { Chance, Clock } from '../environment.ts'
import type { OnlinePart } from '../online-part.ts'
import type { Engine, EnginePorts } from '../sync/engine.ts'
import type { ChallengeHandler } from './challenge-handler.ts'
import type { LocalCopy } from './local-copy.ts'
import type { SessionsApiPorts } from './sessions-api.ts'
import type { SignInLinePorts } from './sign-in-line.ts'

/** What authentication is given; each file of it takes what it needs. */
export interface AuthenticationPorts {
  readonly line: SignInLinePorts
  readonly api: SessionsApiPorts
  readonly replica: LocalCopy
  readonly online: OnlinePart
  readonly challenge: ChallengeHandler
  readonly clock: Clock
  readonly chance: Chance
  readonly wantsConnection: boolean
  /** An engine for whoever is signed in. */
  readonly makeEngine: (
    ports: Pick<EnginePorts, 'replica' | 'session' | 'online' | 'tell'> & { readonly identity: BasicIdentity },
  ) => Engine
  readonly tell: Tell
  /** Whose data there is to see, and whether the app wants a connection. */
  readonly onBasis: (shown: BasicIdentity | undefined, wantsConnection: boolean) => void
  /** The local database failed where nothing works without it. */
  readonly onBroken: (error: unknown) => void
}
