import { type Check, found, type History, sendsOf } from '../history.ts'
import { percentile } from '../percentile.ts'

/** While all is well, a message is on every screen within this, for 99 of 100; after a fault, all within {@link HEALED_MS}. */
export const HEALTHY_P99_MS = 1_000
export const HEALED_MS = 5_000

/** C10: what was accepted reaches everybody who listens, soon. */
export const wakeUp: Check = (history) => {
  const delays = arrivalDelays(history)
  const { healedAt, slowness = 1, graceMs = 0 } = history
  if (healedAt === undefined) {
    const p99 = percentile(
      delays.map(({ delayMs }) => delayMs),
      0.99,
    )
    return p99 <= HEALTHY_P99_MS * slowness
      ? []
      : [{ check: 'C10', sentence: `1 of 100 messages took more than ${Math.round(p99)} ms to arrive` }]
  }
  const late = delays.filter(
    ({ arrivedAt, acceptedAt }) => arrivedAt - Math.max(acceptedAt, healedAt) > HEALED_MS * slowness + graceMs,
  )
  return found(
    'C10',
    `messages arrived later than ${HEALED_MS} ms after the fault`,
    late.map(({ message, device }) => `${message} on ${device}`),
  )
}

/** How long each acknowledged message took to each other device that was online all along. */
export function arrivalDelays({ operations, devices }: History) {
  const accepted = new Map(
    sendsOf(operations).flatMap(({ message, outcome, device, invokedAt }) =>
      outcome.state === 'ok' ? [[message, { at: outcome.at, device, invokedAt }]] : [],
    ),
  )
  return devices.flatMap(({ name, arrivals }) =>
    arrivals.flatMap(({ message, at, wasOnlineSince, isBackfill }) => {
      const one = accepted.get(message)
      if (!one || one.device === name || isBackfill || wasOnlineSince > one.invokedAt) return []
      return [{ message, device: name, acceptedAt: one.at, arrivedAt: at, delayMs: Math.max(0, at - one.at) }]
    }),
  )
}
