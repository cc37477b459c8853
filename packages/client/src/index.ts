/** The public names of the SDK. */
export type {
  BasicIdentity,
  ConversationId,
  ConversationRow,
  CreateConversationResult,
  DeletionMode,
  IdentityId,
  MessageId,
  MessageRow,
  Metadata,
  Part,
  SendMessageResult,
  SessionInfo,
  WireError,
} from '@parley/protocol'
export type {
  AuthenticationState,
  ChallengeFailure,
  Deauthentication,
  DeauthenticationReason,
} from './authentication/authentication-state.ts'
export type { Challenge, ChallengeHandler } from './authentication/challenge-handler.ts'
export type { DeauthenticateOptions } from './authentication/departure.ts'
export { type Client, createClient, type MessagesOptions } from './client.ts'
export type {
  ClientEvents,
  ClientOptions,
  ConversationHandle,
  CreatedConversation,
  Operation,
  OperationOptions,
  OutboxHandle,
  SentMessage,
} from './client-types.ts'
export type { Chance, Channel, Clock, Locks, OpenChannel } from './environment.ts'
export { ParleyError, type ParleyErrorCode } from './errors.ts'
export type { LoadOnline } from './online-part.ts'
export type { CreateConversationOptions } from './operations/create-conversation.ts'
export type { SendMessageOptions } from './operations/send-message.ts'
export type { MetadataValues } from './operations/update-conversation.ts'
export type { ListChange } from './queries/list-changes.ts'
export type { LiveQuery, QueryUpdate } from './queries/live-query.ts'
export type { ConversationQueryOptions, MessageQueryOptions } from './queries/views.ts'
export type { OutboxEntry, Replica, ReplicaStorage } from './replica/replica.ts'
export type { ConnectionState } from './sync/connection-state.ts'
export type { HistoryProgress } from './sync/history.ts'
export type { Fetch } from './transport/fetch.ts'
export type { Socket, SocketFactory, WebSocketClass } from './transport/socket.ts'
export type { ConversationView } from './view/conversation-view.ts'
export type { IdentityView } from './view/identity-view.ts'
export type { Extent, MessageView, PartView } from './view/message-view.ts'
