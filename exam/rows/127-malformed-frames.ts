import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { percentile } from '../checker/percentile.ts'
import type { HostileReport, HostileTask } from '../load/hostile-visitors.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { mixed } from '../load/workloads.ts'
import { pause, World } from '../load/world.ts'
import { judge, type Row, type RowContext } from '../row.ts'
import { slowness } from '../runner/slowness.ts'

const FRAMES = 10_000
const ODD_SOCKETS = 40
const RAW_SOCKETS = 10
const MAX_GROWTH_BYTES = 50 * 2 ** 20
/** Acknowledgements that take less than this are prompt, whatever they took before. */
const PROMPT_MS = 300
const QUIET_MS = 2_500
const PEOPLE = ['alice', 'ben', 'cleo']

const program = fileURLToPath(new URL('../load/hostile-visitors.ts', import.meta.url))

export const row: Row = {
  id: 127,
  tier: 'q',
  title: '10,000 malformed frames on 50 sockets while others chat',
  limitMs: 25_000,
  async run(context) {
    const world = await World.open(context)
    const { server } = world
    const devices = [...(await world.team(PEOPLE)), ...(await world.team(PEOPLE))]
    const conversations = [await world.conversation(devices), await world.conversation(devices)]
    const target = await somebodysMessage(world)
    const tokens = await Promise.all([...Array(ODD_SOCKETS).keys()].map((nth) => server.signIn(`mallory ${nth}`)))
    const load = mixed({ world, chance: context.chance, conversations, pauseMs: 60 })
    await pause(QUIET_MS)
    const before = { rss: server.process.residentBytes(), at: performance.now() }
    let peak = before.rss
    const watch = setInterval(() => {
      peak = Math.max(peak, server.process.residentBytes())
    }, 100)
    context.onEnd(() => clearInterval(watch))
    const report = await hostility(context, {
      ...{ port: server.port, seed: context.seed, tokens, target },
      ...{ frames: FRAMES, rawSockets: RAW_SOCKETS },
    })
    const attackMs = performance.now() - before.at
    // The machine may have become busier meanwhile, by others; then prompt is what is prompt there.
    const slow = Math.max(context.slowness, slowness())
    await load.stop()
    world.heal()
    const took = (from: number, to: number) =>
      world.recorder.operations.flatMap(({ invokedAt, outcome }) =>
        outcome.state === 'ok' && invokedAt >= from && invokedAt < to ? [outcome.at - invokedAt] : [],
      )
    const quiet = percentile(took(0, before.at), 0.99)
    const beside = percentile(took(before.at, before.at + attackMs), 0.99)
    const { findings, figures } = await world.examine()
    const { answered, rawAttacks, tally, complaints } = report
    return judge({
      bites: answered + rawAttacks,
      findings,
      figures: {
        ...figures,
        attackSeconds: (attackMs / 1000).toFixed(1),
        answered,
        rawAttacks,
        kinds: Object.keys(tally).length,
        quietP99Ms: quiet.toFixed(1),
        besideP99Ms: beside.toFixed(1),
        growthMB: Math.round((peak - before.rss) / 2 ** 20),
      },
      holds: {
        [`every frame is answered as documented (${complaints.join('; ') || 'it is'})`]:
          complaints.length === 0 && answered >= FRAMES,
        'the chat is at most twice as slow': beside <= Math.max(2 * quiet, PROMPT_MS * slow),
        'memory grows by 50 MB at most': peak - before.rss <= MAX_GROWTH_BYTES,
        'nothing failed in the server': !server.record.lines.some((line) => /failed|bug/.test(line)),
      },
    })
  },
}

/** A conversation the visitors have no part in, and a message there. */
async function somebodysMessage({ server }: World) {
  const owner = await RawVisitor.greeted(server.websocketUrl, await server.signIn('owner'))
  const conversation = await owner.conversation(['nobody else'])
  const { id, frame } = RawVisitor.text(conversation, 'not theirs')
  owner.say(frame)
  await owner.hears('acknowledgement', (answer) => answer.id === id)
  owner.socket.terminate()
  return { conversation, message: `layer:///messages/${id}` }
}

function hostility(context: RowContext, task: HostileTask): Promise<HostileReport> {
  const child = fork(program, { execArgv: ['--conditions=source', '--import', 'tsx'] })
  context.onEnd(() => child.kill())
  return new Promise((resolve, reject) => {
    child.once('message', (report) => resolve(report as HostileReport))
    child.once('exit', (code) => reject(new Error(`The visitors' process ended with ${code}.`)))
    child.send(task)
  })
}
