import { randomUUID } from 'node:crypto'
import type { DownFrame } from '@parley/protocol'
import { until } from '@parley/testkit'
import { WebSocket } from 'ws'

type Heard<Type extends DownFrame['type']> = Extract<DownFrame, { type: Type }>

/** Somebody who speaks the native protocol by hand, one frame at a time, right or wrong. */
export class RawVisitor {
  readonly heard: DownFrame[] = []
  readonly socket: WebSocket
  closeCode: number | undefined

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => this.heard.push(JSON.parse(String(data)) as DownFrame))
    socket.on('close', (code) => {
      this.closeCode = code
    })
    socket.on('error', () => undefined)
  }

  static async open(url: string): Promise<RawVisitor> {
    const visitor = new RawVisitor(new WebSocket(url, 'parley.1'))
    await new Promise((resolve, reject) => visitor.socket.once('open', resolve).once('error', reject))
    return visitor
  }

  static async greeted(url: string, token: string): Promise<RawVisitor> {
    const visitor = await RawVisitor.open(url)
    visitor.say({ type: 'hello', session_token: token, cursor: null, epoch: null })
    await visitor.hears('heads', ({ cursor }) => cursor !== null)
    return visitor
  }

  say(frame: object): void {
    this.socket.send(JSON.stringify(frame))
  }

  /** The first frame of a type that fits, heard already or still to come. */
  async hears<Type extends DownFrame['type']>(
    type: Type,
    fits: (frame: Heard<Type>) => boolean = () => true,
  ): Promise<Heard<Type>> {
    const find = () => this.heard.find((frame) => frame.type === type && fits(frame as Heard<Type>))
    await until(() => find() !== undefined || this.closeCode !== undefined, `a ${type} is heard`)
    const found = find()
    if (!found) throw new Error(`Closed with ${this.closeCode} while waiting for a ${type}.`)
    return found as Heard<Type>
  }

  async closed(): Promise<number> {
    await until(() => this.closeCode !== undefined, 'the socket is closed')
    return this.closeCode!
  }

  /** An operation frame for something new, and the id it goes by. */
  static creating(name: 'create-conversation' | 'send-message', input: object, id: string = randomUUID()) {
    const kind = name === 'send-message' ? 'messages' : 'conversations'
    return { id, frame: { type: 'operation', id, name, input: { id: `layer:///${kind}/${id}`, ...input } } }
  }

  async conversation(participants: readonly string[]): Promise<string> {
    const asked = { participants: participants.map((name) => `layer:///identities/${name}`), distinct: false }
    const { id, frame } = RawVisitor.creating('create-conversation', asked)
    this.say(frame)
    await this.hears('acknowledgement', (answer) => answer.id === id)
    return `layer:///conversations/${id}`
  }

  static text(conversation: string, body: string, id?: string) {
    return RawVisitor.creating('send-message', { conversation, parts: [{ mime_type: 'text/plain', body }] }, id)
  }
}
