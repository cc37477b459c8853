import { channelCreate } from './channel-create.ts'
import { conversationCreate } from './conversation-create.ts'
import { counterRead } from './counter-read.ts'
import { eventReplay } from './event-replay.ts'
import { messageCreate } from './message-create.ts'
import { presenceSubscribe, presenceSync, presenceUpdate } from './presence.ts'
import type { RequestHandler } from './request.ts'

/** Every method a Layer client can name on its socket. */
export const requests: ReadonlyMap<string, RequestHandler> = new Map([
  ['Conversation.create', conversationCreate],
  ['Message.create', messageCreate],
  ['Channel.create', channelCreate],
  ['Presence.subscribe', presenceSubscribe],
  ['Presence.update', presenceUpdate],
  ['Presence.sync', presenceSync],
  ['Counter.read', counterRead],
  ['Event.replay', eventReplay],
])
