import type { ConversationId } from '@parley/protocol'
import type { SeededChance } from '@parley/testkit'
import type { ExamDevice } from './device.ts'
import { pause, type World } from './world.ts'

/** A load that runs until it is told to stop. */
export interface Load {
  readonly stop: () => Promise<void>
}

/**
 * Everybody sends into one conversation as fast as they are acknowledged.
 *
 * @param window messages of one device that await their acknowledgement
 */
export function chatter(devices: readonly ExamDevice[], conversation: ConversationId, window = 8): Load {
  let isOver = false
  const senders = devices.flatMap((device) => {
    let number = 0
    return Array.from({ length: window }, async () => {
      while (!isOver) {
        const sent = await device.send(conversation, `${device.name} #${number++}`)
        await sent?.acknowledged.catch(() => undefined)
      }
    })
  })
  return endedBy(senders, () => {
    isOver = true
  })
}

/** A load whose row is late is never asked to stop; what goes wrong after that is nobody's business. */
function endedBy(lives: readonly Promise<unknown>[], end: () => void): Load {
  const all = Promise.all(lives)
  all.catch(() => undefined)
  return {
    async stop() {
      end()
      await all
    },
  }
}

export interface MixedOptions {
  readonly world: Pick<World, 'devices'>
  readonly chance: SeededChance
  readonly conversations: readonly ConversationId[]
  /** Between two actions of one device. */
  readonly pauseMs?: number
  /** Devices that go offline now and then. */
  readonly isAwayNowAndThen?: boolean
}

/** People write, read, delete and rename, now and then offline, in several conversations: what a day looks like. */
export function mixed({ world, chance, conversations, pauseMs = 20, isAwayNowAndThen = false }: MixedOptions): Load {
  let isOver = false
  const lives = world.devices.map(async (device) => {
    for (let number = 0; !isOver; number++) {
      await act(device, chance, conversations, number)
      if (isAwayNowAndThen && chance.number() < 0.02) await beAway(device, chance)
      await pause(chance.number() * pauseMs * 2)
    }
    device.client.connect()
  })
  return endedBy(lives, () => {
    isOver = true
  })
}

async function act(device: ExamDevice, chance: SeededChance, conversations: readonly ConversationId[], number: number) {
  const conversation = chance.pick(conversations)
  const handle = device.client.conversation(conversation)
  const what = chance.number()
  if (what < 0.73) return device.send(conversation, `${device.name} says #${number} ${'.'.repeat(chance.below(200))}`)
  if (what < 0.93) return device.operate('mark-messages', conversation, () => handle.markRead())
  if (what < 0.97) {
    const messages = await (await device.replica()).scan('messages', {
      prefix: [conversation],
      reverse: true,
      limit: 20,
    })
    const own = messages.find(({ sender, deleted_at }) => sender === device.identity && deleted_at === null)
    if (!own) return
    const deleted = await device.operate(
      'delete-message',
      conversation,
      () => handle.deleteMessage(own.id, 'all_participants'),
      { message: own.id },
    )
    deleted?.acknowledged.catch(() => undefined)
    return
  }
  await device.operate('update-conversation', conversation, () =>
    handle.setMetadata({ topic: `${device.name} ${number}` }),
  )
}

async function beAway(device: ExamDevice, chance: SeededChance) {
  device.client.disconnect()
  await pause(50 + chance.below(400))
  device.client.connect()
}
