import { type Finding, type History, messagesOf } from '../checker/history.ts'

/** What went over the wire of a guest with Layer's SDK: about a message, or that it connected anew and was told again. */
export interface Heard {
  /** In Unix milliseconds. */
  readonly at: number
  readonly isAbout: boolean
  /** `down change create Message`, `http POST /messages/…/receipts 204` … */
  readonly what: string
  /** Changes that came down with it, it among them, in their order: the SDK makes up its lists once for all of them. */
  readonly together: readonly string[]
}

/** Connections are of interest this long before and after something was heard of the message itself. */
const AROUND_MS = 5_000

export interface Shown {
  readonly id: string
  readonly position: number
  /** The SDK was told that it is gone, and has it no longer, though it is still in the list. */
  readonly isLetGo: boolean
}

/**
 * All that is known of a message that a guest shows and should not, or the other way round, so that it need not happen again
 * to be understood: what was asked for, what the store has, and what the guest was told and when.
 */
export function storyOf(
  guest: string,
  { id, position, isLetGo }: Shown,
  { operations, store }: Pick<History, 'operations' | 'store'>,
  heard: readonly Heard[],
): readonly Finding[] {
  const say = (sentence: string): Finding => ({ check: 'Layer’s SDK', sentence })
  const rows = messagesOf(store[0]!.copy).flatMap(({ row }) => (row.id === id ? [row] : []))
  const held = rows.map(
    (row) => `at ${row.position}, sequence ${row.sequence}, ${row.deleted_at ? `deleted ${row.deleted_at}` : 'there'}`,
  )
  const asked = operations
    .filter(({ message }) => message === id)
    .map(({ device, name, invokedAt, outcome }) => {
      const from = clockTime(performance.timeOrigin + invokedAt)
      const until = 'at' in outcome ? ` ${clockTime(performance.timeOrigin + outcome.at)}` : ''
      return `${device} ${name} ${from}, ${outcome.state}${until}`
    })
  return [
    say(`${guest} and ${position} ${id}: the SDK ${isLetGo ? 'has let go of it' : 'holds it'}`),
    say(`the store has it ${held.join('; ') || 'nowhere, nor that it was deleted'}`),
    say(`it was asked for by ${asked.join('; ') || 'nobody'}`),
    ...heard
      .filter(({ at }) => heard.some((one) => one.isAbout && Math.abs(one.at - at) < AROUND_MS))
      .map(({ at, what, together }) =>
        say(`${guest} heard ${clockTime(at)} ${what}${together.length > 1 ? ` in ${together.join(', ')}` : ''}`),
      ),
  ]
}

const clockTime = (ms: number) => new Date(ms).toISOString().slice(11, 23)
