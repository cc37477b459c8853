/** Somebody in a process of their own who sends a word now and then, and says how long each took: see `probe.ts`. */
import { performance } from 'node:perf_hooks'
import { RawVisitor } from './raw-visitor.ts'

const PAUSE_MS = 20
const [, , url, token] = process.argv
const visitor = await RawVisitor.greeted(url!, token!)
const conversation = await visitor.conversation(['somebody'])
process.once('disconnect', () => process.exit())
for (;;) {
  const { id, frame } = RawVisitor.text(conversation, 'still there?')
  visitor.heard.length = 0
  const saidAt = performance.now()
  await new Promise<void>((resolve) => {
    const hear = (data: unknown) => {
      if (!String(data).startsWith(`{"type":"acknowledgement","id":"${id}"`)) return
      visitor.socket.off('message', hear)
      resolve()
    }
    visitor.socket.on('message', hear)
    visitor.say(frame)
  })
  process.send?.(performance.now() - saidAt)
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}
