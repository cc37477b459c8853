import { invalidProperty, missingProperty, refuse } from '@parley/protocol'
import type { FastifyInstance } from 'fastify'
import type { Edge } from '../../edge.ts'
import { accepted } from '../../http/refused-request.ts'
import { findMessage } from '../reads.ts'
import { members, submit } from '../submit.ts'
import { existing, signedIn, uuidParam } from './call.ts'

/** The spelling `delivered` is what an app sends that mistakes the SDK's status for its receipt. */
const RECEIPTS = new Map([
  ['read', 'read'],
  ['delivery', 'delivery'],
  ['delivered', 'delivery'],
])

/** Receipts: of one message, or for all up to a position. */
export function receiptRoutes(http: FastifyInstance, edge: Edge): void {
  http.post(
    '/messages/:uuid/receipts',
    signedIn(edge, async ({ session, request, reply }) => {
      const { type } = accepted(members(request.body)).members
      if (type === undefined) accepted(missingProperty('type'))
      const receipt = RECEIPTS.get(String(type)) ?? accepted(invalidProperty('type', 'A receipt is read or delivery.'))
      const { message } = existing(await findMessage(edge, session, uuidParam(request)), 'There is no such message.')
      const { conversation, position } = message
      accepted(await submit(edge, session, 'mark-messages', { conversation, receipt, position, only: true }))
      return reply.code(204).send()
    }),
  )

  http.post(
    '/conversations/:uuid/mark_all_read',
    signedIn(edge, async ({ session, request, reply }) => {
      const { position } = accepted(members(request.body ?? {})).members
      const upTo = accepted(readPosition(position)).position
      const mark = { conversation: uuidParam(request), receipt: 'read', position: upTo }
      accepted(await submit(edge, session, 'mark-messages', mark))
      return reply.code(202).send({})
    }),
  )
}

/** The SDK sends null while it knows no message that is surely on the server: then everything is meant. */
function readPosition(value: unknown) {
  if (value === null || value === undefined) return { position: Number.MAX_SAFE_INTEGER }
  return Number.isSafeInteger(value) && (value as number) >= 1
    ? { position: value as number }
    : refuse('invalid_property', { message: 'A position is a positive whole number.', data: { property: 'position' } })
}
