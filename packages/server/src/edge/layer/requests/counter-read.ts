import type { RequestHandler } from './request.ts'

/** How an idle client finds out whether it missed anything. */
export const counterRead: RequestHandler = {
  answer: ({ connection }) => ({ data: { counter: connection.lastCounter } }),
}
