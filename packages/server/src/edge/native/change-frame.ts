import type { Change } from '../../delivery/change.ts'
import { SharedFrame } from '../sockets/shared-frame.ts'
import { changeFrames, messagesChangeText, onlyMessages } from './encode.ts'

let latest: { readonly change: Change; readonly frames: readonly SharedFrame[] } | undefined

/** The frames of a change, the same for all its listeners. They are told one after the other, so the last is enough. */
export function framesOf(change: Change): readonly SharedFrame[] {
  if (latest?.change !== change) latest = { change, frames: shared(change) }
  return latest.frames
}

function shared(change: Change): SharedFrame[] {
  const messages = onlyMessages(change)
  if (messages) return [new SharedFrame(() => messagesChangeText(change, messages))]
  return changeFrames(change).map((frame) => new SharedFrame(() => JSON.stringify(frame)))
}
