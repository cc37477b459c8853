/** As much of Layer's Web SDK 3 as the walks touch; the package itself comes without types. */
declare module 'layer-websdk' {
  export interface SdkEvents {
    on(name: string, handler: (event: SdkEvent) => void): void
    once(name: string, handler: (event: SdkEvent) => void): void
  }
  export interface SdkEvent {
    readonly nonce?: string
    readonly callback?: (identityToken: string) => void
    readonly message?: SdkMessage
    readonly result?: string
    readonly conversationId?: string
    readonly typing?: readonly { readonly userId: string }[]
    readonly paused?: readonly { readonly userId: string }[]
    readonly error?: unknown
    readonly eventName?: string
  }
  export interface SdkIdentity {
    readonly id: string
    readonly userId: string
    readonly displayName: string
    readonly isFullIdentity: boolean
    readonly sessionOwner: boolean
    readonly status: string
    setStatus(status: string): void
  }
  export interface SdkPart {
    readonly body: string
    readonly mimeType: string
  }
  export interface SdkMessage extends SdkEvents {
    readonly id: string
    readonly parts: readonly SdkPart[]
    readonly position: number
    readonly sender: SdkIdentity
    readonly readStatus: string
    readonly deliveryStatus: string
    readonly recipientStatus: Readonly<Record<string, string>>
    readonly isDestroyed: boolean
    readonly syncState: string
    isRead: boolean
    send(notification?: object): SdkMessage
    delete(mode: string): void
  }
  export interface SdkConversation extends SdkEvents {
    readonly id: string
    readonly participants: readonly SdkIdentity[]
    readonly metadata: Readonly<Record<string, unknown>>
    readonly distinct: boolean
    readonly unreadCount: number
    readonly lastMessage: SdkMessage | null
    readonly isDestroyed: boolean
    createMessage(content: string | { parts: { body: string; mimeType: string }[] }): SdkMessage
    setMetadataProperties(properties: object): void
    deleteMetadataProperties(properties: string[]): void
    addParticipants(userIds: string[]): void
    removeParticipants(userIds: string[]): void
    markAllMessagesAsRead(): void
    delete(mode: string): void
    leave(): void
  }
  export interface SdkQuery extends SdkEvents {
    readonly data: readonly { readonly id: string }[]
    readonly totalSize: number
    readonly isFiring: boolean
  }
  export interface SdkClient extends SdkEvents {
    readonly user: SdkIdentity
    readonly sessionToken: string
    readonly isReady: boolean
    readonly isAuthenticated: boolean
    readonly socketManager: { pingFrequency: number }
    readonly syncManager: {
      receiptQueue: readonly unknown[]
      request(asked: { readonly operation: string }): void
    }
    connect(userId: string): void
    logout(callback?: () => void): void
    createQuery(options: object): SdkQuery
    createConversation(options: object): SdkConversation
    getConversation(id: string, canLoad?: boolean): SdkConversation | null
    getMessage(id: string, canLoad?: boolean): SdkMessage | null
    getIdentity(id: string, canLoad?: boolean): SdkIdentity | null
    createTypingPublisher(): { conversation: SdkConversation; setState(state: string): void }
    getTypingState(conversationId: string): {
      readonly typing: { userId: string }[]
      readonly paused: { userId: string }[]
    }
  }
  export interface LayerModule {
    readonly Client: { new (options: object): SdkClient; readonly version: string }
    readonly Query: Readonly<Record<'Conversation' | 'Message' | 'Identity' | 'Announcement' | 'Channel', string>>
  }
  const layer: LayerModule
  export default layer
}
