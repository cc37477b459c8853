/** What each step of a plan does. A step never waits for what it caused: the next one comes in its own time. */
import type { ConversationId } from '@parley/protocol'
import { parseConversationId } from '@parley/protocol'
import type { operations } from '@parley/server/in-process'
import type { Deed } from './deeds.ts'
import type { Device } from './device.ts'
import type { Plan, Step, StepName } from './plan.ts'
import type { ServerMachine } from './server-machine.ts'
import type { Timeline } from './timeline.ts'
import type { Cut } from './wire.ts'

export interface Stage {
  readonly plan: Plan
  readonly timeline: Timeline
  readonly server: ServerMachine
  readonly devices: readonly Device[]
  readonly deeds: Deed[]
  readonly tell: (sentence: string) => void
  /** Asks at the server's other door, as a REST client or the app's backend would. */
  readonly askOtherDoor: (deed: Omit<Deed, 'number'>, name: keyof typeof operations, input: object) => void
  readonly newText: () => string
}

type Dice = Step['dice']
type Perform = (stage: Stage, device: Device, dice: Dice) => void

const pick = <T>(choices: readonly T[], die: number): T | undefined => choices[Math.floor(die * choices.length)]

export const cuts: readonly Cut[] = ['reset', 'reset', 'device-told', 'server-told', 'half-open', 'deaf']

/** Conversations this device knows, those that are only in its outbox included. */
function conversationsOf(device: Device): ConversationId[] {
  const known = device.disk.table('conversations').all() as { readonly id: ConversationId }[]
  const asked = device.disk.table('outbox').all() as { readonly name: string; readonly conversation: ConversationId }[]
  const own = asked.filter(({ name }) => name === 'create-conversation').map(({ conversation }) => conversation)
  return [...new Set([...known.map(({ id }) => id), ...own])]
}

/** One of those this device knows; now and then one that is none of its business. */
function conversationOf({ deeds }: Stage, device: Device, die: number): ConversationId | undefined {
  if (die > 0.96)
    return pick(
      deeds.flatMap((deed) => deed.conversation ?? []),
      (die - 0.96) * 25,
    )
  return pick(conversationsOf(device), die / 0.96)
}

function messagesOf(device: Device, conversation: ConversationId) {
  return device.disk.table('messages').scan({ prefix: [conversation] }) as {
    readonly id: string
    readonly position: number
  }[]
}

const inConversation =
  (perform: (stage: Stage, device: Device, conversation: ConversationId, die: number, dice: Dice) => void): Perform =>
  (stage, device, dice) => {
    const conversation = conversationOf(stage, device, dice[0])
    if (conversation) perform(stage, device, conversation, dice[1], dice)
    else performers.create(stage, device, dice)
  }

export const performers: Readonly<Record<StepName, Perform>> = {
  create({ plan, newText }, device, [which, kind, extra]) {
    const others = plan.people.filter((_, i) => (Math.floor(which * 16) >> i) & 1)
    const distinct = kind < 0.7
    const metadata = extra < 0.3 ? { title: newText() } : undefined
    device.ask('create', null, { type: 'create', participants: others, distinct }, (client) =>
      client.createConversation({ participants: others, distinct, ...(metadata && { metadata }) }),
    )
  },

  send: inConversation(({ newText }, device, conversation, die) => {
    // Now and then several at once, which share a commit and a batch.
    const count = die < 0.1 ? 5 : 1
    for (let i = 0; i < count; i++) {
      const text = newText()
      device.ask('send', conversation, { type: 'text', text }, (client) =>
        client.conversation(conversation).sendText(text),
      )
    }
  }),

  'mark-read': inConversation((_, device, conversation, die) => {
    const known = messagesOf(device, conversation)
    const position = die < 0.5 ? undefined : pick(known, (die - 0.5) * 2)?.position
    const upTo = position ?? known.at(-1)?.position ?? 0
    device.ask('mark-read', conversation, { type: 'read', position: upTo, only: false }, (client) =>
      client.conversation(conversation).markRead(position),
    )
  }),

  'other-door': inConversation(({ askOtherDoor }, device, conversation, die, dice) => {
    const uuid = parseConversationId(conversation)!
    const message = pick(messagesOf(device, conversation), dice[2])
    const position = message?.position ?? 1
    const receipt = die < 0.5 ? ('read' as const) : ('delivery' as const)
    const only = die * 10 - Math.floor(die * 10) < 0.7
    askOtherDoor(
      {
        name: 'other-door',
        device: 'other door',
        installation: 1,
        tab: 0,
        userId: device.userId,
        conversation,
        mark: message ? { type: receipt === 'read' ? 'read' : 'delivered', position, only } : { type: 'none' },
        state: 'asked',
        operationId: null,
        acknowledged: undefined,
        wasRefused: false,
        isGivenUp: false,
      },
      'mark-messages',
      { conversation: uuid, receipt, position, only },
    )
  }),

  'set-metadata': inConversation(({ newText }, device, conversation, die) => {
    const key = `k${Math.floor(die * 6)}`
    const value = newText()
    device.ask('set-metadata', conversation, { type: 'metadata', key, value }, (client) =>
      client.conversation(conversation).setMetadata({ [key]: value }),
    )
  }),

  'delete-metadata': inConversation((_, device, conversation, die) => {
    const key = `k${Math.floor(die * 6)}`
    device.ask('delete-metadata', conversation, { type: 'metadata', key, value: null }, (client) =>
      client.conversation(conversation).deleteMetadata([key]),
    )
  }),

  add: inConversation(({ plan }, device, conversation, die) => {
    const userId = pick(plan.people, die)!
    device.ask('add', conversation, { type: 'participant', userId }, (client) =>
      client.conversation(conversation).addParticipants([userId]),
    )
  }),

  remove: inConversation(({ plan }, device, conversation, die) => {
    const userId = pick(plan.people, die)!
    device.ask('remove', conversation, { type: 'none' }, (client) =>
      client.conversation(conversation).removeParticipants([userId]),
    )
  }),

  leave: inConversation((_, device, conversation) => {
    device.ask('leave', conversation, { type: 'none' }, (client) => client.conversation(conversation).leave())
  }),

  'delete-for-me': inConversation((_, device, conversation) => {
    device.ask('delete-for-me', conversation, { type: 'none' }, (client) =>
      client.conversation(conversation).delete('my_devices'),
    )
  }),

  'delete-for-all': inConversation((_, device, conversation) => {
    device.ask('delete-for-all', conversation, { type: 'deleted' }, (client) =>
      client.conversation(conversation).delete('all_participants'),
    )
  }),

  'delete-message-for-me': inConversation((_, device, conversation, die) => {
    deleteMessage(device, conversation, die, false)
  }),

  'delete-message-for-all': inConversation((_, device, conversation, die) => {
    deleteMessage(device, conversation, die, true)
  }),

  typing: inConversation((_, device, conversation, die) => {
    const handle = device.client.conversation(conversation)
    if (die < 0.7) handle.typing()
    else handle.stopTyping()
  }),

  'settle-failed'(_, device, [which, kind]) {
    const entries = device.disk.table('outbox').all() as {
      readonly id: string
      readonly state: { readonly state: string }
    }[]
    const failed = entries.filter(({ state }) => state.state === 'failed')
    const entry = pick(failed.length > 0 ? failed : entries, which)
    if (!entry) return
    if (kind < 0.5) void device.call('retry', (client) => client.outbox.retry(entry.id))
    else device.discard(entry.id)
  },

  cut(_, device, [how]) {
    device.wire?.cut(pick(cuts, how)!)
  },

  disconnect: (_, device) => device.client.disconnect(),
  connect: (_, device) => device.client.connect(),
  'restart-device': (_, device) => device.restart(),

  'crash-device'({ plan, timeline }, device, [when, howSoon]) {
    if (when < 0.5) {
      device.crash()
      return
    }
    // In the middle of writing, if it comes to that.
    device.disk.onNextCommit = () => timeline.after(howSoon * plan.deviceDiskMs, () => device.crash())
  },

  'sign-out'(_, device, [discard, keep]) {
    device.signOut({ discardUnsent: discard < 0.3, keepData: keep < 0.3 })
  },

  'sign-in'({ plan }, device, [who, whose]) {
    device.signIn(whose < 0.7 ? device.userId : pick(plan.people, who)!)
  },

  'crash-server'({ plan, server, timeline }, _, [away, kind, when]) {
    const crash = () => {
      server.crash()
      timeline.after(kind < 0.5 ? 0 : away * 8_000, () => void server.start())
    }
    // Most of the interest lies between the moment a commit begins and that at which its word is out.
    if (when < 0.4) crash()
    else server.disk.onNextCommit = () => timeline.after(2 * away * plan.serverDiskMs, crash)
  },

  'stop-server'({ server, timeline }, _, [away]) {
    void server.stop().then(() => timeline.after(away * 2_000, () => void server.start()))
  },

  'start-server': ({ server }) => void server.start(),

  'server-disk-full'({ server, timeline }, _, [howLong]) {
    server.disk.fullUntil = timeline.now + howLong * 4_000
  },

  'device-disk-fails'(_, device, [count]) {
    device.disk.failures = 1 + Math.floor(count * 3)
  },

  'clock-jump'(_, device, [far]) {
    device.wallErrorMs = Math.round((far - 0.5) * 6 * 24 * 3_600_000)
  },

  'server-clock-jump'({ server }, _, [far]) {
    server.clockErrorMs = Math.round((far - 0.4) * 4 * 3_600_000)
  },

  'open-tab': (_, device) => device.openTab(),
  'switch-tab': (_, device, [which]) => device.switchTab(which),
  'close-tab': (_, device, [which]) => device.closeTab(which),
  'crash-tab': (_, device, [which]) => device.crashTab(which),
  'freeze-tab': (_, device, [which, isTold, howLong]) => device.freezeTab(which, isTold < 0.5, howLong * 60_000),

  hint: (_, device) => device.hint(),
  wait: () => undefined,
}

function deleteMessage(device: Device, conversation: ConversationId, die: number, isForAll: boolean): void {
  const message = pick(messagesOf(device, conversation), die)
  if (!message) return
  const name = isForAll ? 'delete-message-for-all' : 'delete-message-for-me'
  device.ask(name, conversation, { type: 'message-deleted', message: message.id, isForAll }, (client) =>
    client.conversation(conversation).deleteMessage(message.id, isForAll ? 'all_participants' : 'my_devices'),
  )
}
