import { invalidProperty, refuse } from '@parley/protocol'
import { SAYABLE } from '../presence.ts'
import { members } from '../submit.ts'
import type { RequestHandler } from './request.ts'

/** Ids one question may name. */
const MAX_IDS = 1_000

export const presenceSubscribe: RequestHandler = {
  answer({ connection }) {
    connection.subscribeToPresence()
    return { data: {} }
  },
}

/** What somebody says of themselves comes as a patch. */
export const presenceUpdate: RequestHandler = {
  answer({ desk, session, data }) {
    if (!Array.isArray(data)) return refuse('invalid_request', { message: 'A patch is a list.' })
    for (const raw of data as unknown[]) {
      const read = members(raw)
      if ('refusal' in read) return read
      const { operation, property, value } = read.members
      const said = SAYABLE.find((one) => one === value)
      if (operation !== 'set' || property !== 'status' || !said) {
        return invalidProperty('status', `Set status to one of ${SAYABLE.join(', ')}.`)
      }
      desk.presence.say(session, said)
    }
    return { data: {} }
  },
}

/** Always a list: without one the SDK would stop, and everything it has yet to send would wait behind. */
export const presenceSync: RequestHandler = {
  async begin({ desk, session, data }) {
    const read = members(data ?? {})
    if ('refusal' in read) return read
    const { ids, since } = read.members
    if (Array.isArray(ids)) {
      if (ids.length > MAX_IDS) return invalidProperty('ids', `Ask for at most ${MAX_IDS} identities at once.`)
      const names = ids.filter((id) => typeof id === 'string')
      return { data: { changes: await desk.presence.named(session, names) } }
    }
    const sinceMs = typeof since === 'string' ? Date.parse(since) : Number.NaN
    if (Number.isNaN(sinceMs)) return invalidProperty('since', 'Name identities, or a time.')
    return { data: { changes: await desk.presence.since(session, sinceMs) } }
  },
}
