/** Some thousand sockets in a process of their own: `crowd.ts` starts it, tells it what to do, and hears how it goes. */

import type { CrowdOrder, CrowdReport } from './crowd.ts'
import { CrowdMember } from './crowd-member.ts'

/** Sockets opened at a time at first: a storm is for later. */
const AT_ONCE = 200
const REPORT_MS = 100

const members: CrowdMember[] = []
const closed: Record<string, number> = {}
const answered: number[] = []
let talkersLeft = 0
let asked = 0

process.on('message', (order: CrowdOrder) => {
  if (order.type === 'open') void open(order)
  else if (order.type === 'talk') talkersLeft = order.first
})
setInterval(() => {
  const report: CrowdReport = {
    live: members.filter(({ isLive }) => isLive).length,
    attempts: members.reduce((sum, { attempts }) => sum + attempts, 0),
    closed,
    asked,
    answered,
  }
  process.send?.(report)
}, REPORT_MS)

async function open({ url, guests, count, manner }: Extract<CrowdOrder, { type: 'open' }>): Promise<void> {
  for (let i = 0; i < count; i++) {
    const guest = guests[i % guests.length]!
    const member = new CrowdMember({
      ...guest,
      url,
      manner,
      onLive(one) {
        if (talkersLeft <= 0) return
        talkersLeft--
        asked++
        one.say(`back again, ${i}`, (ms) => answered.push(Math.round(ms)))
      },
      onClosed(how) {
        closed[how] = (closed[how] ?? 0) + 1
      },
    })
    members.push(member)
    member.start()
    while (members.length - members.filter(({ isLive }) => isLive).length >= AT_ONCE) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}
