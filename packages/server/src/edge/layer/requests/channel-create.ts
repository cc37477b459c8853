import { refuse } from '@parley/protocol'
import type { RequestHandler } from './request.ts'

export const channelCreate: RequestHandler = {
  answer: () => refuse('invalid_operation', { message: 'This server has no channels.' }),
}
