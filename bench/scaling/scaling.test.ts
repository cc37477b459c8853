import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Crowd, type Deployment, hearersOf, needOf } from './fan-out.ts'
import { measured } from './measured.ts'
import { ride } from './reconnect-storm.ts'
import { quoted } from './report.ts'

const costs = {
  ...measured,
  nodeMicrosecondsOfSend: 100,
  nodeMicrosecondsOfListener: 10,
  nodeMicrosecondsOfSaying: 10,
  nodeMicrosecondsOfHearing: 10,
  storeMicrosecondsOfSend: 1_000,
  nodeMicrosecondsOfCommit: 100,
  storeMicrosecondsOfCommit: 500,
  commitMilliseconds: 4,
}
const crowd: Crowd = { users: 36_000, messagesPerHour: 100, receiptsPerMessage: 1, listeners: 3 }
const deployment: Deployment = { connectionsPerNode: 10_000, share: 0.5, coresPerDatabase: 2, bus: 'everybody' }

describe('what a crowd needs', () => {
  it('is as counted by hand', () => {
    // 1,000 messages and 1,000 receipts a second. Four nodes for the connections; each commits 500 operations a second at
    // 100 + 3 × 10 + 10 µs in 250 commits at 100 µs, and hears the other 1,500 at 10 µs: 0.07 + 0.025 + 0.015 cores.
    const need = needOf(crowd, deployment, costs)!
    expect(need).toMatchObject({ operationsPerSecond: 2_000, deliveriesPerSecond: 6_000, nodes: 4 })
    expect(need.nodesBoundBy).toBe('connections')
    expect(need.coresPerNode).toBeCloseTo(0.11)
    expect(need.heardPerSecondAndNode).toBeCloseTo(1_500)
    // 2,000 operations at 1,000 µs and 1,000 commits at 500 µs; half of two cores may be used at each database.
    expect(need).toMatchObject({ storeCores: 2.5, operationsPerCommit: 2, databases: 3 })
  })

  it('is more nodes where their processors are the bound, and none are enough where hearing alone fills each', () => {
    const busy = needOf({ ...crowd, messagesPerHour: 2_000 }, deployment, costs)!
    expect(busy.nodes).toBeGreaterThan(4)
    expect(busy.coresPerNode).toBeLessThanOrEqual(deployment.share)
    expect(needOf({ ...crowd, messagesPerHour: 3_000 }, deployment, costs)).toBeUndefined()
    expect(needOf({ ...crowd, messagesPerHour: 3_000 }, { ...deployment, bus: 'by interest' }, costs)).toBeDefined()
  })

  it('by interest, a commit is heard where its listeners are and nowhere else', () => {
    expect(hearersOf(1, crowd, { bus: 'by interest' })).toBe(0)
    expect(hearersOf(100_000, crowd, { bus: 'by interest' })).toBeCloseTo(3, 3)
    expect(hearersOf(2, { ...crowd, listeners: 1_000 }, { bus: 'by interest' })).toBeCloseTo(1)
    expect(hearersOf(7, crowd, { bus: 'everybody' })).toBe(6)
  })
})

describe('a storm of reconnects', () => {
  const storm = {
    clients: 1_000,
    takenPerSecond: 100,
    patienceSeconds: 60,
    isLateWorkDone: true,
    firstWindowSeconds: 0,
    lastWindowSeconds: 0,
  }

  it('with patience takes as long as the work does, and nobody tries twice', () => {
    const { allBackSeconds, triesPerClient, peakTriesPerSecond } = ride(storm)
    expect(allBackSeconds).toBeCloseTo(10)
    expect(triesPerClient).toBeCloseTo(1)
    expect(peakTriesPerSecond).toBeCloseTo(1_000)
  })

  it('spread over a window, the worst second is the window’s part', () => {
    expect(ride({ ...storm, firstWindowSeconds: 20, lastWindowSeconds: 20 }).peakTriesPerSecond).toBeCloseTo(50)
  })

  it('never ends where everybody gives up before their turn, and it is carried out all the same', () => {
    const impatient = { ...storm, patienceSeconds: 1, firstWindowSeconds: 1, lastWindowSeconds: 1 }
    expect(ride(impatient).allBackSeconds).toBe(Number.POSITIVE_INFINITY)
    expect(ride({ ...impatient, isLateWorkDone: false }).allBackSeconds).toBeLessThan(13)
  })
})

it('docs/scaling.md quotes what the program prints', () => {
  const document = readFileSync(fileURLToPath(new URL('../../docs/scaling.md', import.meta.url)), 'utf8')
  expect(document).toContain(`<!-- simulated -->\n\n${quoted()}\n\n<!-- end of simulated -->`)
})
