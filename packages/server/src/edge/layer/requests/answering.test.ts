import { describe, expect, it } from 'vitest'
import { StoreOutage } from '../../../store/store.ts'
import { Answering, type AnsweringOptions } from './answering.ts'

const CONVERSATION = 'layer:///conversations/00000000-0000-4000-8000-000000000001'

/** What a socket is told when a message it sends is refused so. */
async function refused(id: string): Promise<unknown> {
  const told: Promise<unknown>[] = []
  const edge = { clock: { now: () => 0 }, lane: { submit: async () => ({ refusal: { id } }) } }
  const queue = {
    put: (work: (send: (packet: unknown) => void) => unknown) => {
      told.push(new Promise((resolve) => void work(resolve)))
    },
  }
  const options = { desk: { edge }, session: {}, connection: {}, queue, ready: async () => true }
  const answering = new Answering(options as unknown as AnsweringOptions)
  const data = { parts: [{ mime_type: 'text/plain', body: 'Hello' }] }
  answering.handle({ request_id: '1', method: 'Message.create', object_id: CONVERSATION, data })
  return told[0]
}

describe('LAY-31 the answer to a message', () => {
  it.each(['service_unavailable', 'rate_limit_exceeded'])(
    'that is refused for now (%s) is the one for which Layer’s clients keep it and send it again',
    async (id) => {
      expect(await refused(id)).toMatchObject({ body: { success: false, data: { id: 'request_timeout' } } })
    },
  )

  it('that is refused for good says why', async () => {
    expect(await refused('access_denied')).toMatchObject({ body: { success: false, data: { id: 'access_denied' } } })
  })
})

describe('LAY-43 the answer to a replay', () => {
  const FROM = '2026-01-01T00:00:00.000Z'

  /** What is told, and as of when, if the store fails; and whether the connection can go on. */
  async function replayed(error: Error) {
    const told: { packet: unknown; at: number | undefined }[] = []
    let work: Promise<unknown> = Promise.resolve()
    const lists = { movedSince: () => Promise.reject(error) }
    const queue = {
      put: (entry: (send: (packet: unknown, at?: number) => void) => Promise<unknown>) => {
        work = entry((packet, at) => told.push({ packet, at }))
      },
    }
    const desk = { edge: { store: { lists }, log: () => undefined } }
    const options = { desk, session: {}, connection: {}, queue, ready: async () => true }
    const answering = new Answering(options as unknown as AnsweringOptions)
    answering.handle({ request_id: '1', method: 'Event.replay', data: { from_timestamp: FROM } })
    const isOver = await work.then(
      () => false,
      () => true,
    )
    return { told, isOver }
  }

  it('while the store is away bears the time asked from and ends the connection, so that it is asked for again', async () => {
    const { told, isOver } = await replayed(new StoreOutage('PostgreSQL is away.'))
    expect(told).toMatchObject([{ packet: { body: { success: false } }, at: Date.parse(FROM) }])
    expect(isOver).toBe(true)
  })

  it('says that it went wrong if it did, and the connection goes on', async () => {
    const { told, isOver } = await replayed(new Error('a bug'))
    expect(told).toMatchObject([{ packet: { body: { success: false } }, at: undefined }])
    expect(isOver).toBe(false)
  })
})
