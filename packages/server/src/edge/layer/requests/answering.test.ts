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
  /** What becomes of it when the store fails in the middle. */
  async function replayed(error: Error): Promise<unknown> {
    const told: unknown[] = []
    let work: Promise<unknown> = Promise.resolve()
    const lists = { movedSince: () => Promise.reject(error) }
    const queue = {
      put: (entry: (send: (packet: unknown) => void) => Promise<unknown>) => {
        work = entry((packet) => told.push(packet))
      },
    }
    const desk = { edge: { store: { lists }, log: () => undefined } }
    const options = { desk, session: {}, connection: {}, queue, ready: async () => true }
    const answering = new Answering(options as unknown as AnsweringOptions)
    const data = { from_timestamp: '2026-01-01T00:00:00.000Z' }
    answering.handle({ request_id: '1', method: 'Event.replay', data })
    await work
    return told[0]
  }

  it('is none while the store is away: the connection ends, and Layer’s clients ask again on the next', async () => {
    const outage = new StoreOutage('PostgreSQL is away.')
    await expect(replayed(outage)).rejects.toBe(outage)
  })

  it('says that it went wrong if it did', async () => {
    expect(await replayed(new Error('a bug'))).toMatchObject({ body: { success: false } })
  })
})
