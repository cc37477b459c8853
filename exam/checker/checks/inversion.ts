import { type Check, type DeviceRecord, found, type Operation } from '../history.ts'

/**
 * C6: in a conversation, what one device sent is in the order in which it was asked for; no replica takes a message
 * below one it has, unless it knew that its history was incomplete; and no screen is ever out of order.
 */
export const inversion: Check = ({ operations, devices }) => [
  ...found('C6', 'sent out of order', outOfOrder(operations)),
  ...devices.flatMap((device) => [
    ...found('C6', `messages slipped in below newer ones on ${device.name}`, slippedIn(device)),
    ...found('C6', `lists out of order on the screen of ${device.name}`, [
      ...new Set(device.shown.filter(({ isSorted }) => !isSorted).map(({ message }) => message)),
    ]),
  ]),
]

function outOfOrder(operations: readonly Operation[]): string[] {
  const highest = new Map<string, number>()
  return [...operations]
    .sort((a, b) => a.order - b.order)
    .flatMap(({ device, conversation, outcome, body, id }) => {
      if (outcome.state !== 'ok' || outcome.position === undefined) return []
      const lane = `${device} in ${conversation}`
      const before = highest.get(lane) ?? 0
      highest.set(lane, Math.max(before, outcome.position))
      return outcome.position < before ? [`${body ?? id} at ${outcome.position} after ${before}`] : []
    })
}

function slippedIn({ arrivals }: DeviceRecord): string[] {
  const highest = new Map<string, number>()
  return arrivals.flatMap(({ conversation, position, isBackfill }) => {
    const before = highest.get(conversation) ?? 0
    highest.set(conversation, Math.max(before, position))
    return position < before && !isBackfill ? [`${position} after ${before} in ${conversation}`] : []
  })
}
