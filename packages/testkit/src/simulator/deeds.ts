/** What people asked their devices to do, and what they were told became of it: the history that a run is judged by. */
import type { ConversationId } from '@parley/protocol'
import type { StepName } from './plan.ts'

export interface Deed {
  readonly number: number
  readonly name: StepName
  /** Which device, and which copy of the data on it: a wiped device starts over. */
  readonly device: string
  readonly installation: number
  /** Which tab it was asked for in, of those there were. */
  readonly tab: number
  readonly userId: string
  /** As it was named when asked. */
  conversation: ConversationId | null
  /** What the effect can be recognised by. */
  readonly mark: DeedMark
  /** `placed`: the SDK said that it is safe on the device; `refused-locally`: that nothing was stored. */
  state: 'asked' | 'placed' | 'refused-locally'
  operationId: string | null
  /** The server said that it is done. */
  acknowledged: unknown
  /** The server said no, at least once. */
  wasRefused: boolean
  /** The app was told that it will not be done: discarded, or handed back at a sign-out. */
  isGivenUp: boolean
}

export type DeedMark =
  | { readonly type: 'none' }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'create'; readonly participants: readonly string[]; readonly distinct: boolean }
  | { readonly type: 'read' | 'delivered'; readonly position: number; readonly only: boolean }
  | { readonly type: 'metadata'; readonly key: string; readonly value: string | null }
  | { readonly type: 'participant'; readonly userId: string }
  | { readonly type: 'deleted' }
  | { readonly type: 'message-deleted'; readonly message: string; readonly isForAll: boolean }
