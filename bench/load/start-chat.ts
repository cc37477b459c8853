import type { ChatInput, ChatResult } from './chat.ts'
import type { Window } from './measuring.ts'
import { Load } from './start-load.ts'

/** People who chat, in a process of their own: once they are connected, they talk as often as they are told to. */
export class Chat {
  readonly #load: Load

  private constructor(load: Load) {
    this.#load = load
  }

  /** Connects them, and makes their conversations. */
  static async open(input: ChatInput): Promise<Chat> {
    const load = new Load('chat', input)
    await load.next()
    return new Chat(load)
  }

  /**
   * They talk, and stop when the time is over.
   * @param watch runs once they are warm, and waits for what was counted from then on
   * @returns what that saw, and how many messages never came
   */
  async talk<Seen>(
    times: Window,
    watch: (counted: () => Promise<ChatResult>) => Promise<Seen>,
  ): Promise<{ readonly seen: Seen; readonly lost: number }> {
    this.#load.say(times)
    await this.#load.next()
    const seen = await watch(() => this.#load.next<ChatResult>())
    const { lost } = await this.#load.next<{ lost: number }>()
    return { seen, lost }
  }

  close(): Promise<void> {
    return this.#load.close()
  }
}
