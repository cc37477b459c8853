import { invalidProperty } from '@parley/protocol'
import { replay } from '../replay.ts'
import { members } from '../submit.ts'
import type { RequestHandler } from './request.ts'

/**
 * Layer's clients take the newest timestamp they saw for how far they have heard. What is told again therefore bears the
 * time asked from: a replay that is cut short is asked for again.
 */
export const eventReplay: RequestHandler = {
  stream({ desk, session, data }) {
    const read = members(data)
    const from = 'members' in read ? read.members.from_timestamp : undefined
    const at = typeof from === 'string' ? Date.parse(from) : Number.NaN
    if (Number.isNaN(at)) return invalidProperty('from_timestamp', 'Expected the timestamp of the last packet.')
    return { at, packets: replay(desk, session, at) }
  },
}
