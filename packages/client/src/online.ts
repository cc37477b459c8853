/**
 * What is only ever done with the server at the other end: signing in and out, renewing a session, opening a socket, merging
 * what it brings, sending what waits, typing. In an app it is a file of its own, which `online-part.ts` fetches; the rest of the SDK imports
 * its types only, and what belongs here is what can wait for the network.
 */
export { Renewal } from './authentication/renewal.ts'
export { endSession } from './authentication/sessions-api.ts'
export { reopenSession, signIn } from './authentication/sign-in.ts'
export { endStoredSession } from './authentication/sign-out.ts'
export { Sender } from './outbox/sender.ts'
export { settle, settlementWrites } from './outbox/settlement.ts'
export { draftDeliveryReceipt } from './sync/delivery-receipt.ts'
export { readDownFrame } from './sync/down-frame.ts'
export { compareStreams } from './sync/epoch.ts'
export { isDenied, mergeChange, mergeHeads, mergePage, mergePull } from './sync/merge.ts'
export { Pages } from './sync/pages.ts'
export { Pulls } from './sync/pulls.ts'
export { readStoredHeads, readStoredRows } from './sync/stored-rows.ts'
export { TypingExchange } from './sync/typing-exchange.ts'
export { openSocket } from './transport/socket.ts'
