import { readFileSync, writeFileSync } from 'node:fs'
import { storeFile } from '@parley/server'
import { until } from '@parley/testkit'
import { hashOfCopy } from '../checker/canonical.ts'
import { ExamServer } from '../load/exam-server.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import type { ReachableServer } from '../load/reachable-server.ts'
import { readStoreView } from '../load/store-view.ts'
import { judge, type Row } from '../row.ts'

const PAGE_BYTES = 4_096
const FLIPS = 50
const CONVERSATIONS = 30
const TEXTS = 60
const PEOPLE = ['alice', 'ben']
const HOW_TO_RESTORE = /damaged.*put back a backup/

export const row: Row = {
  id: 11,
  tier: 'n',
  title: 'a byte of the store is changed while the server is stopped, on fifty pages',
  async run(context) {
    const server = await ExamServer.start(context)
    await fill(server)
    const wanted = await everything(server)
    await server.terminate()
    const file = storeFile(server.dataFolder)
    const sound = readFileSync(file)
    const pages = sound.length / PAGE_BYTES
    const outcomes = { atStart: 0, atRead: 0, harmless: 0, wrong: 0, crashed: 0, silent: 0 }
    const odd: string[] = []
    for (let flip = 0; flip < FLIPS; flip++) {
      const spoilt = Buffer.from(sound)
      const at = context.chance.below(pages) * PAGE_BYTES + context.chance.below(PAGE_BYTES)
      spoilt[at]! ^= 1 << context.chance.below(8)
      writeFileSync(file, spoilt)
      const complaint = await server.start().then(
        () => undefined,
        (error: Error) => error.message,
      )
      const served = complaint === undefined ? await everything(server).catch((error: Error) => error) : undefined
      const isAlive = complaint !== undefined || server.process.isRunning
      await server.kill()
      // Only what this life said, and all of it: what it wrote last may come after its last answer.
      const said = complaint ?? server.process.lines.join('\n')
      const outcome = !isAlive
        ? 'crashed'
        : complaint !== undefined
          ? 'atStart'
          : served instanceof Error
            ? 'atRead'
            : served === wanted
              ? 'harmless'
              : 'wrong'
      outcomes[outcome]++
      const isTold = outcome === 'harmless' || HOW_TO_RESTORE.test(said)
      if (!isTold) outcomes.silent++
      if (outcome === 'wrong' || outcome === 'crashed' || !isTold)
        odd.push(`byte ${at}: ${outcome}, ${served instanceof Error ? served.message : ''} ${said.slice(-300)}`)
    }
    return judge({
      bites: FLIPS,
      figures: { pages, ...outcomes },
      holds: {
        'nothing wrong was served': outcomes.wrong === 0,
        [`whoever found damage said how to restore (${odd.slice(0, 3).join('; ')})`]: odd.length === 0,
        'no server fell over it': outcomes.crashed === 0,
        'some damage was found': outcomes.atStart + outcomes.atRead > 0,
      },
    })
  },
}

async function fill(server: ReachableServer): Promise<void> {
  const visitors = await Promise.all(
    PEOPLE.map(async (name) => RawVisitor.greeted(server.websocketUrl, await server.signIn(name))),
  )
  for (let i = 0; i < CONVERSATIONS; i++) {
    const conversation = await visitors[0]!.conversation(PEOPLE)
    for (const [n, visitor] of visitors.entries()) {
      const texts = Array.from({ length: TEXTS / 2 }, (_, k) =>
        RawVisitor.text(conversation, `${PEOPLE[n]} says ${k} ${'.'.repeat((k * 37) % 300)}`),
      )
      for (const { frame } of texts) visitor.say(frame)
      const { id } = texts.at(-1)!
      await visitor.hears('acknowledgement', (answer) => answer.id === id)
      visitor.heard.length = 0
    }
  }
  for (const { socket } of visitors) socket.close()
  await until(() => visitors.every(({ closeCode }) => closeCode !== undefined), 'they have left')
}

/** All that everybody may see, by both doors. */
async function everything(server: ReachableServer): Promise<string> {
  const views = await Promise.all(PEOPLE.map((name) => readStoreView(server, name)))
  return views.map(({ copy, unread, lastMessage }) => hashOfCopy(copy) + JSON.stringify([unread, lastMessage])).join()
}
