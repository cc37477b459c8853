import type { serve } from '@parley/server'
import { messagesOf } from '../checker/history.ts'
import { LocalServer } from '../load/local-server.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { readCopy } from '../load/store-view.ts'
import { judge, type Row } from '../row.ts'

type Store = Parameters<typeof serve>[0]

const BATCH = 200
const POISON = 'poison'

export const row: Row = {
  id: 14,
  tier: 'q',
  title: 'one operation of a batch cannot be carried out',
  async run(context) {
    const commits: string[] = []
    let thrown = 0
    const wrap = (store: Store): Store => ({
      ...store,
      log: {
        load: (...args) => store.log.load(...args),
        lastCursor: () => store.log.lastCursor(),
        prune: (...args) => store.log.prune(...args),
        commit: async (writes) => {
          const text = JSON.stringify(writes)
          commits.push(text)
          if (text.includes(POISON)) {
            thrown++
            throw new Error('This cannot be stored.')
          }
          return store.log.commit(writes)
        },
      },
    })
    const server = await LocalServer.start(context, { wrap })
    const token = await server.signIn('alice')
    const alice = await RawVisitor.greeted(server.websocketUrl, token)
    context.onEnd(() => alice.socket.terminate())
    const conversation = await alice.conversation(['ben'])
    const elsewhere = await alice.conversation(['cleo'])
    const taken = RawVisitor.text(elsewhere, 'here first')
    alice.say(taken.frame)
    await alice.hears('acknowledgement', ({ id }) => id === taken.id)

    const poisons = [
      RawVisitor.text(conversation, POISON),
      RawVisitor.text(conversation, 'x'.repeat(10_000)),
      RawVisitor.text(conversation, 'an id that is taken', taken.id),
    ]
    const refused: string[] = []
    const good: string[] = []
    for (const [round, poison] of poisons.entries()) {
      alice.heard.length = 0
      const others = Array.from({ length: BATCH - 1 }, (_, i) => RawVisitor.text(conversation, `text ${round}-${i}.`))
      const batch = [...others.slice(0, BATCH / 2), poison, ...others.slice(BATCH / 2)]
      // One write, so that they come in one turn.
      alice.socket.pause()
      for (const { frame } of batch) alice.say(frame)
      alice.socket.resume()
      for (const { id } of batch) {
        const answer = await alice.hears('acknowledgement', (one) => one.id === id)
        if ('refusal' in answer) refused.push(`${id === poison.id ? 'poison' : 'good'} ${answer.refusal.id}`)
        else good.push(id)
      }
    }
    const { copy } = await readCopy(server.websocketUrl, token)
    const stored = messagesOf(copy).filter((one) => one.conversation === conversation)
    const tries = Math.max(
      ...stored.map(({ row }) => commits.filter((text) => text.includes(JSON.stringify(row.parts[0]!.body))).length),
    )
    return judge({
      bites: thrown > 0 ? refused.length : 0,
      figures: { acknowledged: good.length, refused: refused.join('; '), stored: stored.length, tries },
      holds: {
        'all but the poisoned ones were acknowledged': good.length === poisons.length * (BATCH - 1),
        'only the poisoned ones were refused': refused.every((one) => one.startsWith('poison')),
        'all that was acknowledged is stored, at 1, 2, 3 …':
          stored.length === good.length && stored.every(({ row }) => row.position <= good.length),
        'nobody was tried more than twice again': tries <= 3,
      },
    })
  },
}
