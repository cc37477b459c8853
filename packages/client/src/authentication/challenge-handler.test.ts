import { settle, VirtualClock } from '@parley/testkit'
import { expect, it } from 'vitest'
import { askHandler, HANDLER_PATIENCE_MS } from './challenge-handler.ts'

it('AUTH-32 a handler that never answers is given up and told so', async () => {
  let isTold = false
  const handler = ({ signal }: { signal: AbortSignal }) =>
    new Promise<string>(() => {
      signal.addEventListener('abort', () => {
        isTold = true
      })
    })
  const { signal } = new AbortController()
  const clock = new VirtualClock()
  const call = askHandler(clock, handler, { nonce: 'n', userId: undefined, signal })
  call.catch(() => {})
  await settle()
  await clock.advance(HANDLER_PATIENCE_MS)
  await expect(call).rejects.toMatchObject({ code: 'challenge_failed' })
  expect(isTold).toBe(true)
})
