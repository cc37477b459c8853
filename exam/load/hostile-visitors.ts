/**
 * A process of people who mean no good: odd frames by chance from a seed, and bytes that are no WebSocket. Apart from the
 * devices that chat meanwhile, so that what those wait for is the server and not the noise.
 */
import type { DownFrame } from '@parley/protocol'
import { Oddities, oddFrame, type RawAttack, rawAttacks, runRawAttack, SeededChance } from '@parley/testkit'
import { RawVisitor } from './raw-visitor.ts'

export interface HostileTask {
  readonly port: number
  readonly seed: number
  readonly tokens: readonly string[]
  /** Frames of all visitors together. */
  readonly frames: number
  /** How many do their worst below the level of frames. */
  readonly rawSockets: number
  /** A conversation of others, and a message in it. */
  readonly target: { readonly conversation: string; readonly message: string }
}

export interface HostileReport {
  /** Frames that were answered, or that ended their socket by a documented code. */
  readonly answered: number
  readonly rawAttacks: number
  /** What kinds of answers there were, and how many. */
  readonly tally: Readonly<Record<string, number>>
  /** What should not have been answered so. */
  readonly complaints: readonly string[]
}

const CLOSE_CODES = [1007, 1009, 4400, 4401, 4403]

export async function beHostile(task: HostileTask): Promise<HostileReport> {
  const tally: Record<string, number> = {}
  const complaints: string[] = []
  const count = (kind: string) => {
    tally[kind] = (tally[kind] ?? 0) + 1
  }
  const each = Math.ceil(task.frames / task.tokens.length)
  const raw = [...Array(task.rawSockets).keys()].map((nth) =>
    beRaw(
      task.port,
      rawAttacks.filter((_, index) => index % task.rawSockets === nth),
      count,
      complaints,
    ),
  )
  const odd = task.tokens.map((token, nth) => beOdd(task, token, nth, each, count, complaints))
  const [answered, attacks] = await Promise.all([Promise.all(odd), Promise.all(raw)])
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  return { answered: sum(answered), rawAttacks: sum(attacks), tally, complaints: complaints.slice(0, 10) }
}

type Count = (kind: string) => void

async function beOdd(
  task: HostileTask,
  token: string,
  nth: number,
  frames: number,
  count: Count,
  complaints: string[],
) {
  const chance = new SeededChance(task.seed + nth)
  const url = `ws://127.0.0.1:${task.port}`
  const { conversation, message } = task.target
  const oddities = new Oddities(chance, [conversation, message, '', 'inbox'])
  let visitor: RawVisitor | undefined
  let answered = 0
  for (let number = 0; number < frames; number++) {
    if (!visitor || visitor.closeCode !== undefined) {
      visitor = chance.below(8) === 0 ? await RawVisitor.open(url) : await RawVisitor.greeted(url, token)
    }
    const from = visitor.heard.length
    visitor.socket.send(oddities.text(oddFrame(oddities, conversation, message)))
    visitor.say({ type: 'ping' })
    for (const kind of await answersTo(visitor, from, complaints)) count(kind)
    answered++
  }
  visitor?.socket.terminate()
  return answered
}

async function answersTo(visitor: RawVisitor, from: number, complaints: string[]): Promise<readonly string[]> {
  const isLast = (frame: DownFrame) =>
    frame.type === 'pong' || (frame.type === 'refusal' && frame.error.message === 'Say hello first.')
  const isOver = () => visitor.closeCode !== undefined || visitor.heard.slice(from).some(isLast)
  while (!isOver()) await somethingHeard(visitor)
  const kinds = visitor.heard.slice(from).flatMap((frame) => kindOf(frame, complaints))
  // What was answered is forgotten, or it would be looked through again and again.
  visitor.heard.length = 0
  const { closeCode } = visitor
  if (closeCode === undefined) return kinds
  if (!CLOSE_CODES.includes(closeCode)) complaints.push(`a socket was closed with ${closeCode}`)
  return [...kinds, `close ${closeCode}`]
}

/** The next frame, or the end. Nobody looks every few milliseconds: there are many visitors. */
const somethingHeard = ({ socket }: RawVisitor): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      socket.off('message', done).off('close', done)
      resolve()
    }
    socket.once('message', done).once('close', done)
  })

function kindOf(frame: DownFrame, complaints: string[]): readonly string[] {
  const error = frame.type === 'refusal' ? frame.error : 'refusal' in frame ? frame.refusal : undefined
  if (!error) return frame.type === 'acknowledgement' ? ['done'] : []
  if (error.id === 'internal_server_error' || /at .*\.(ts|js):|node_modules|SQLITE|TypeError/.test(error.message)) {
    complaints.push(JSON.stringify(error))
  }
  return [error.id]
}

async function beRaw(port: number, attacks: readonly RawAttack[], count: Count, complaints: string[]): Promise<number> {
  for (const attack of attacks) {
    const { code, isClosed, texts } = await runRawAttack(port, attack)
    const isDocumented =
      (code !== undefined && attack.codes.includes(code)) ||
      (attack.codes.includes(1006) && isClosed) ||
      (attack.codes.includes(0) && (texts.length > 0 || attack.deafMs !== undefined))
    if (!isDocumented)
      complaints.push(`${attack.name}: code ${code}, ${isClosed ? 'closed' : 'open'}, ${texts.length} texts`)
    count(code === undefined ? 'raw answered' : `raw ${code}`)
  }
  return attacks.length
}

process.on('message', (task: HostileTask) => {
  beHostile(task).then(
    (report) => process.send?.(report, () => process.exit()),
    (error: Error) =>
      process.send?.({ answered: 0, rawAttacks: 0, tally: {}, complaints: [String(error.stack)] }, () =>
        process.exit(),
      ),
  )
})
