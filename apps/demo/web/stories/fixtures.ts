import type { ConversationItem, Delivery, MessageItem, Person } from '../model/chat.ts'

export const now = new Date('2026-11-22T18:20:00')

const person = (userId: string, name: string): Person => ({ id: userId, userId, name })
export const alice = person('alice', 'Alice Moreau')
const ben = person('ben', 'Ben Okafor')
const cleo = person('cleo', 'Cleo Lindqvist')
const dana = person('dana', 'Dana Whitfield')

const at = (day: number, time: string) => new Date(`2026-11-${day}T${time}:00`).toISOString()

interface Line {
  readonly from: Person
  readonly at: string
  readonly text: string
  readonly delivery?: Delivery
  readonly readBy?: readonly string[]
  readonly isUnread?: boolean
}

const message = (line: Line, index: number): MessageItem => ({
  id: `m${index}`,
  sender: line.from,
  isOwn: line.from === alice,
  isUnread: line.isUnread ?? false,
  text: line.text,
  at: line.at,
  delivery: line.delivery ?? 'read',
  operationId: line.delivery === 'failed' || line.delivery === 'pending' ? `o${index}` : null,
  failure: line.delivery === 'failed' ? 'You have no access to this any more.' : undefined,
  readBy: line.readBy ?? [],
})

const lines: Line[] = [
  { from: ben, at: at(21, '17:41'), text: 'Who is in for the lighthouse tomorrow?' },
  { from: ben, at: at(21, '17:41'), text: 'Ferry at 9:40, back by six' },
  { from: cleo, at: at(21, '17:52'), text: 'In! I can bring the big thermos ☕' },
  { from: alice, at: at(21, '18:03'), text: 'Me too. Is there any signal out there?' },
  { from: ben, at: at(21, '18:05'), text: 'Not a single bar. That is half the charm.' },
  { from: alice, at: at(22, '09:32'), text: 'On the pier. The ferry is early, hurry 🏃' },
  { from: dana, at: at(22, '09:34'), text: 'Two minutes! Hold the ramp' },
  {
    from: cleo,
    at: at(22, '14:12'),
    text: 'Writing this from the gallery at the top. No network, but I can still read everything from last week, and this will find its way out by itself.',
  },
  { from: ben, at: at(22, '17:55'), text: 'And here it is 😄', isUnread: true },
  {
    from: ben,
    at: at(22, '17:56'),
    text: 'Photos are at https://example.org/lighthouse, take what you like',
    isUnread: true,
  },
  { from: alice, at: at(22, '18:17'), text: 'Best day in weeks.', readBy: ['Ben', 'Cleo', 'Dana'] },
  { from: alice, at: at(22, '18:18'), text: 'Same time next month?', delivery: 'delivered', readBy: ['Ben'] },
]
export const messages = lines.map(message)

export const troubled: MessageItem[] = [
  ...messages.slice(0, 9),
  message({ from: alice, at: at(22, '18:10'), text: 'This one was refused', delivery: 'failed' }, 90),
  message({ from: alice, at: at(22, '18:18'), text: 'Written in the tunnel', delivery: 'pending' }, 91),
  message({ from: alice, at: at(22, '18:19'), text: 'And a second one\nwith two lines', delivery: 'pending' }, 92),
]

const conversation = (
  id: string,
  others: readonly Person[],
  last: { from: Person; at: string; text: string; delivery?: Delivery } | undefined,
  more: Partial<ConversationItem> = {},
): ConversationItem => ({
  id,
  title: '',
  others,
  createdAt: at(19, '08:12'),
  last: last && {
    text: last.text,
    at: last.at,
    isOwn: last.from === alice,
    senderName: last.from.name.split(' ')[0] ?? '',
    delivery: last.delivery ?? 'read',
  },
  unread: 0,
  typing: [],
  isMember: true,
  ...more,
})

export const conversations: ConversationItem[] = [
  conversation(
    'c1',
    [ben, cleo, dana],
    { from: alice, at: at(22, '18:18'), text: 'Same time next month?', delivery: 'delivered' },
    { title: 'Lighthouse trip' },
  ),
  conversation('c2', [cleo], { from: cleo, at: at(22, '18:11'), text: 'Call me when you are home?' }, { unread: 2 }),
  conversation('c3', [ben], { from: ben, at: at(22, '17:20'), text: 'ok' }, { typing: ['Ben'] }),
  conversation(
    'c4',
    [dana, ben],
    { from: dana, at: at(22, '11:02'), text: 'The plumber comes on Thursday between 8 and 12, can anyone be there?' },
    { title: 'House 14', unread: 12 },
  ),
  conversation('c5', [dana], { from: alice, at: at(21, '22:47'), text: 'Sleep well!' }),
  conversation('c6', [person('erik', 'Erik')], {
    from: person('erik', 'Erik'),
    at: at(19, '12:00'),
    text: 'Contract is signed 🎉',
  }),
  conversation('c7', [person('faye', 'Faye Tan'), cleo], undefined),
]
