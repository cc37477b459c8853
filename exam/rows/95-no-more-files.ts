import { fileURLToPath } from 'node:url'
import { startProcess, until } from '@parley/testkit'
import { WebSocket } from 'ws'
import { openFiles } from '../instruments/open-files.ts'
import { ExamServer } from '../load/exam-server.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { judge, type Row } from '../row.ts'

const LIMIT = 256
const VISITORS = 400
const command = fileURLToPath(new URL('../../packages/cli/bin/parley.js', import.meta.url))

export const row: Row = {
  id: 95,
  tier: 'n',
  title: 'the server may open no more files',
  async run(context) {
    const made = await ExamServer.start(context)
    const token = await made.signIn('alice')
    await made.kill()
    const args = ['serve', '--json', '--data', made.dataFolder, '--port', String(made.port)]
    const server = startProcess({
      command: 'sh',
      args: ['-c', `ulimit -n ${LIMIT} && exec "$0" "$@"`, process.execPath, command, ...args],
    })
    context.onEnd(() => server.kill())
    await server.line(/"url"/)
    const first = await RawVisitor.greeted(made.websocketUrl, token)
    context.onEnd(() => first.socket.terminate())
    const conversation = await first.conversation(['ben'])
    const visitors = Array.from({ length: VISITORS }, () => new WebSocket(made.websocketUrl, 'parley.1'))
    context.onEnd(() => visitors.forEach((visitor) => void visitor.terminate()))
    let opened = 0
    let failed = 0
    for (const visitor of visitors) visitor.on('open', () => opened++).on('error', () => failed++)
    await until(() => openFiles(server.pid).all >= LIMIT - 8 || failed > 50, 'the limit is reached')
    await new Promise((resolve) => setTimeout(resolve, 500))
    const atLimit = openFiles(server.pid).all
    const isAlive = async (text: string) => {
      const { id, frame } = RawVisitor.text(conversation, text)
      first.say(frame)
      const answer = await first.hears('acknowledgement', (one) => one.id === id)
      return 'result' in answer
    }
    const oldLives = await isAlive('in the crowd')
    for (const visitor of visitors) visitor.terminate()
    await until(() => openFiles(server.pid).all < LIMIT / 2, 'the crowd is gone')
    const late = await RawVisitor.greeted(made.websocketUrl, token)
    late.socket.terminate()
    const isStillAlive = await isAlive('afterwards')
    return judge({
      bites: atLimit >= LIMIT - 8 ? VISITORS - opened : 0,
      figures: { opened, failed, atLimit },
      holds: {
        'who was there was served all along': oldLives && isStillAlive,
        'the server lives': server.isRunning,
      },
    })
  },
}
