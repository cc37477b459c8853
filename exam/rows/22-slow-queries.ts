import { until } from '@parley/testkit'
import { WITH_FIGURES } from '../load/exam-cluster.ts'
import type { ExamNode } from '../load/exam-node.ts'
import { now } from '../load/recorder.ts'
import { throughAFault } from '../load/through-a-fault.ts'
import { pause } from '../load/world.ts'
import { judge, type Row, type RowContext } from '../row.ts'

/** There and back. A list of conversations is asked in five or six such ways, one after the other: half a second. */
const WAY_MS = 100
/** Several times as many as a node has connections and answers in the time that a call may take. */
const CROWD = 400
/** Who waits for a connection waits no longer than a call may take. */
const ANSWERED_MS = 3_000
/** Calls of the store: so many wait at most, also when they all come before anything is known of how long one takes. */
const MOST_UNDER_WAY = 1_014
const UNREADY_MS = 10_000
const HEALTHY_MS = 1_000
const CROWDED_MS = 15_000

export const row: Row = {
  id: 22,
  tier: 'n',
  title: 'what one node asks of PostgreSQL takes half a second each, and more people ask than it has connections',
  async run(context) {
    let unreadyMs = Number.NaN
    let readyMs = Number.NaN
    let crowd: Crowd | undefined
    let mostUnderWay = 0
    let healthP99Ms = 0
    const through = await throughAFault(context, {
      cluster: { isProxied: true, env: WITH_FIGURES },
      hardSenders: 4,
      fault: async ({ cluster }) => {
        const [node] = cluster.nodes
        const token = await cluster.signIn('vera')
        const health: number[] = []
        const startedAt = now()
        node!.database!.delay(WAY_MS / 2)
        crowd = new Crowd(context, node!, token)
        const watching = setInterval(() => {
          const askedAt = now()
          const note = (isWell: boolean) => health.push(isWell ? now() - askedAt : Number.POSITIVE_INFINITY)
          fetch(`${node!.url}/healthz`)
            .then(({ ok }) => note(ok))
            .catch(() => note(false))
          node!.figure('parley_store_calls_under_way').then(
            (calls) => {
              mostUnderWay = Math.max(mostUnderWay, calls)
            },
            () => undefined,
          )
        }, 250)
        context.onEnd(() => clearInterval(watching))
        unreadyMs = await node!.untilReady(false)
        await pause(Math.max(0, CROWDED_MS - (now() - startedAt)))
        await crowd.leave()
        await node!.database!.calm()
        readyMs = await node!.untilReady(true)
        clearInterval(watching)
        await until(() => health.length > 20, 'its health was looked at')
        healthP99Ms = Math.max(...health)
        return crowd.refused
      },
    })
    const { bites, figures, findings, holds, refused } = through
    const { answered = 0, slowestMs = 0, retryAfterS = 0, other = 0 } = crowd ?? {}
    return judge({
      bites,
      findings,
      figures: {
        ...figures,
        ...{ answered, putOff: bites, slowestMs: Math.round(slowestMs), retryAfterS, mostUnderWay },
        ...{
          unreadyMs: Math.round(unreadyMs),
          readyMs: Math.round(readyMs),
          healthMs: Math.round(healthP99Ms),
          refused,
        },
      },
      holds: {
        ...holds,
        'some were answered even so': answered > 0,
        'nobody got another answer than theirs or a refusal for now': other === 0,
        [`who was refused was told so within ${ANSWERED_MS} ms`]: slowestMs <= ANSWERED_MS * context.slowness,
        'and to come back in a second at most': retryAfterS === 1,
        [`no more than ${MOST_UNDER_WAY} waited for the store`]: mostUnderWay > 0 && mostUnderWay <= MOST_UNDER_WAY,
        'its health was good all the while': healthP99Ms <= HEALTHY_MS * context.slowness,
        [`it said within ${UNREADY_MS} ms that it was not ready`]: unreadyMs <= UNREADY_MS * context.slowness,
        'and soon after that it was': readyMs <= UNREADY_MS * context.slowness,
        'nobody was refused anything for good': refused === 0,
      },
    })
  },
}

/** People who ask one node for their conversations, and when they are put off come back when they were told to. */
class Crowd {
  answered = 0
  refused = 0
  /** Neither. */
  other = 0
  /** Of all refusals. */
  slowestMs = 0
  retryAfterS = 0
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #lives: Promise<void>[]
  #isOver = false

  constructor(context: RowContext, { url }: ExamNode, token: string) {
    this.#url = `${url}/conversations?page_size=1`
    this.#headers = {
      accept: 'application/vnd.layer+json; version=2.0',
      authorization: `Layer session-token="${token}"`,
    }
    context.onEnd(() => this.leave())
    this.#lives = Array.from({ length: CROWD }, () => this.#live())
  }

  async leave(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#lives)
  }

  async #live(): Promise<void> {
    while (!this.#isOver) {
      const askedAt = now()
      const answer = await fetch(this.#url, { headers: this.#headers }).catch(() => undefined)
      await answer?.arrayBuffer()
      if (answer?.ok) this.answered++
      else if (answer?.status === 503) {
        this.refused++
        this.slowestMs = Math.max(this.slowestMs, now() - askedAt)
        const seconds = Number(answer.headers.get('retry-after'))
        this.retryAfterS = Math.max(this.retryAfterS, seconds)
        await pause(seconds * 1_000)
      } else this.other++
    }
  }
}
