/** The figures of the simulation, as tables. */
import { asMarkdown, type Table } from '../figures/table.ts'
import { type Crowd, type Deployment, needOf } from './fan-out.ts'
import { type Measured, measured } from './measured.ts'
import { ride, type Storm } from './reconnect-storm.ts'

const MILLION = 1_000_000
const CROWDS: readonly (readonly [name: string, Crowd])[] = [
  ['1 million', { users: MILLION, messagesPerHour: 12, receiptsPerMessage: 1.5, listeners: 4 }],
  ['10 million', { users: 10 * MILLION, messagesPerHour: 12, receiptsPerMessage: 1.5, listeners: 4 }],
  ['100 million', { users: 100 * MILLION, messagesPerHour: 12, receiptsPerMessage: 1.5, listeners: 4 }],
]
const BUSES = { everybody: 'every node hears all', 'by interest': 'by interest' } as const
const DEPLOYMENT: Omit<Deployment, 'bus'> = { connectionsPerNode: 50_000, share: 0.6, coresPerDatabase: 16 }

/** One node with 50,000 connections is gone; 19 others take people back with their share of a core. */
const STORM = {
  clients: 50_000,
  takenPerSecond: (19 * DEPLOYMENT.share * 1_000) / measured.nodeMillisecondsOfSignIn,
  patienceSeconds: 10,
  isLateWorkDone: true,
  firstWindowSeconds: 1,
  lastWindowSeconds: 30,
}
const STORMS: readonly (readonly [name: string, Storm])[] = [
  ['one node of 20 is gone', STORM],
  ['one node of 20 is drained, over 5 s', { ...STORM, firstWindowSeconds: 5 }],
  ['all 20 are gone and come back', { ...STORM, clients: MILLION, takenPerSecond: (STORM.takenPerSecond * 20) / 19 }],
  [
    'the same, were late work not done',
    { ...STORM, clients: MILLION, takenPerSecond: (STORM.takenPerSecond * 20) / 19, isLateWorkDone: false },
  ],
  [
    'the same, were nobody to wait longer each time',
    { ...STORM, clients: MILLION, takenPerSecond: (STORM.takenPerSecond * 20) / 19, lastWindowSeconds: 1 },
  ],
]

export function fanOutTable(costs: Measured = measured): Table {
  const rows = CROWDS.flatMap(([name, crowd]) =>
    (['everybody', 'by interest'] as const).map((bus) => {
      const need = needOf(crowd, { ...DEPLOYMENT, bus }, costs)
      if (!need) return [name, BUSES[bus], 'no number of nodes is enough', '', '', '', '', '', '', '', '']
      return [
        name,
        BUSES[bus],
        whole(need.operationsPerSecond),
        whole(need.deliveriesPerSecond),
        `${whole(need.nodes)} (${need.nodesBoundBy})`,
        need.coresPerNode.toFixed(2),
        whole(need.heardPerSecondAndNode),
        whole(need.busMebibytesPerSecond),
        need.operationsPerCommit.toFixed(1),
        whole(need.databases),
        `${whole(need.storeCores)} / ${whole(need.logMebibytesPerSecond)} / ${whole(need.tableGibibytesPerDay)}`,
      ]
    }),
  )
  const titles = [
    'connected',
    'bus',
    'operations/s',
    'deliveries/s',
    'nodes (bound by)',
    'cores each',
    'heard/s each',
    'bus MiB/s',
    'in a commit',
    'databases',
    'their cores / log MiB/s / GiB a day',
  ]
  return { titles, words: 2, rows }
}

export function stormTable(): Table {
  const rows = STORMS.map(([name, storm]) => {
    const { mostBackSeconds, allBackSeconds, peakTriesPerSecond, triesPerClient } = ride(storm)
    return [
      name,
      whole(storm.clients),
      whole(storm.takenPerSecond),
      whole(peakTriesPerSecond),
      Number.isFinite(mostBackSeconds) ? mostBackSeconds.toFixed(1) : 'never',
      Number.isFinite(allBackSeconds) ? allBackSeconds.toFixed(1) : 'never',
      triesPerClient.toFixed(2),
    ]
  })
  const titles = [
    'what happens',
    'clients',
    'taken on/s',
    'tries/s at worst',
    '99 % back, s',
    'all back, s',
    'tries each',
  ]
  return { titles, words: 1, rows }
}

/** What docs/scaling.md quotes. */
export const quoted = (): string => `${asMarkdown(fanOutTable())}\n\n${asMarkdown(stormTable())}`

const whole = (value: number): string => Math.round(value).toLocaleString('en')
