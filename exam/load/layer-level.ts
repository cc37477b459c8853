import type { ConversationId } from '@parley/protocol'
import { until } from '@parley/testkit'
import { type Finding, type History, messagesOf } from '../checker/history.ts'
import type { LayerPerson } from './layer-person.ts'
import { type Shown, storyOf } from './message-story.ts'

/** What a guest with Layer's SDK shows, compared with the store. */
export interface Level {
  /** What of the store it does not show, or otherwise, from the first message on that it has; nothing if all is well. */
  readonly difference: string
  /**
   * Messages still in its list that it was told are gone, and has no longer: what is new and goes again within one turn of its
   * process it may list for good. All that the server can do is not to tell both in one breath.
   */
  readonly ghosts: number
  /** How the first difference came about. */
  readonly story: readonly Finding[]
}

/** Waits until a guest shows what the store has of a conversation, and answers what it still does not. */
export async function levelOf(guest: LayerPerson, conversation: ConversationId, history: History): Promise<Level> {
  const stored = messagesOf(history.store[0]!.copy).filter(
    (one) => one.conversation === conversation && one.row.deleted_at === null,
  )
  let shown: readonly Shown[] = []
  let difference = ''
  let odd: Shown | undefined
  await until(async () => {
    shown = await guest.shown()
    const first = shown[0]?.position ?? Number.POSITIVE_INFINITY
    const wanted = stored.flatMap(({ row: { id, position } }) => (position >= first ? [{ id, position }] : []))
    const there = shown.filter(({ isLetGo }) => !isLetGo)
    const lacks = without(wanted, there).map((one) => ({ ...one, isLetGo: false }))
    const shows = without(there, wanted)
    odd = lacks[0] ?? shows[0]
    const which = odd && `it ${lacks.length > 0 ? 'lacks' : 'shows'} ${nameOf(odd)}`
    difference = which ? `${lacks.length + shows.length} of ${wanted.length}: ${which}` : ''
    return shown.length > 0 && difference === ''
  }, 'Layer’s SDK is level').catch(() => {
    difference ||= 'it shows nothing'
  })
  const ghosts = shown.filter(({ isLetGo }) => isLetGo).length
  const story = odd ? storyOf(guest.userId, odd, history, await guest.heardOf(odd.id)) : []
  return { difference, ghosts, story }
}

type Place = Pick<Shown, 'position' | 'id'>

const nameOf = ({ position, id }: Place) => `${position} ${id}`

function without<T extends Place>(some: readonly T[], others: readonly Place[]): readonly T[] {
  const names = new Set(others.map(nameOf))
  return some.filter((one) => !names.has(nameOf(one)))
}
