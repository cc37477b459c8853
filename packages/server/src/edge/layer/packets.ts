/** What goes down a Layer socket: pure values, without the counter and time that each socket adds. */
import { type PatchOperation, type Refusal, toWireError } from '@parley/protocol'
import { addressOf } from './views/address.ts'

export interface Packet {
  readonly type: 'change' | 'operation' | 'signal' | 'response'
  readonly body: object
}

export type Packets = readonly Packet[]

export interface ObjectName {
  readonly type: 'Conversation' | 'Message' | 'Identity'
  readonly id: string
  readonly url: string
}

export const objectName = (baseUrl: string, type: ObjectName['type'], id: string): ObjectName => ({
  type,
  id,
  url: addressOf(baseUrl, id),
})

/** The object is there, or is as it is told here. */
export function created(type: ObjectName['type'], data: { readonly id: string; readonly url: string }): Packet {
  return { type: 'change', body: { operation: 'create', object: { type, id: data.id, url: data.url }, data } }
}

export function updated(object: ObjectName, data: readonly PatchOperation[]): Packet {
  return { type: 'change', body: { operation: 'update', object, data } }
}

/** The data of a deleted conversation must be an object: with null the SDK would lose the packet. */
export function deleted(object: ObjectName, data: object): Packet {
  return { type: 'change', body: { operation: 'delete', object, data } }
}

export const setProperty = (property: string, value: unknown): PatchOperation => ({ operation: 'set', property, value })

/** `success` is always there: a response without it is a failure to the SDK. */
export function response(
  request: { readonly id: string; readonly method: string; readonly objectId?: string | undefined },
  outcome: { readonly data: object } | { readonly refusal: Refusal },
): Packet {
  const success = 'data' in outcome
  return {
    type: 'response',
    body: {
      request_id: request.id,
      method: request.method,
      ...(request.objectId !== undefined && { object_id: request.objectId }),
      success,
      data: success ? outcome.data : toWireError(outcome.refusal),
    },
  }
}
