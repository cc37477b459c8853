import type { Change } from '../../delivery/change.ts'
import { SharedFrame } from '../sockets/shared-frame.ts'
import { changeText } from './encode.ts'

let latest: { readonly change: Change; readonly frame: SharedFrame } | undefined

/** The frame of a change, one for all its listeners. They are told one after the other, so the last one is enough. */
export function changeFrameOf(change: Change): SharedFrame {
  if (latest?.change !== change) latest = { change, frame: new SharedFrame(() => changeText(change)) }
  return latest.frame
}
