/**
 * 1:1 chat: users in pairs, a closed loop. A place in a sender's window is free again once the message is acknowledged
 * (durable) and on the peer's socket. Told what to do by the parent process; answers with counts and latencies.
 */
import { randomUUID } from 'node:crypto'
import { dialects } from './dialects.mjs'
import { openSocket } from './socket.mjs'

const BODY = 'x'.repeat(200)

process.once('message', async ({ server, ready, users, window, warmUpMs, measureMs }) => {
  const dialect = dialects[server](ready)
  const open = new Map() // id → { sender, at, left }
  const latencies = []
  let acknowledged = 0
  let isMeasuring = false
  let isOver = false

  const people = await inGroups(users, 25, async (index) => {
    const person = { user: `u${index}`, room: undefined, made: undefined }
    let welcome
    const welcomed = new Promise((resolve) => {
      welcome = resolve
    })
    person.socket = await openSocket({
      port: ready.port,
      protocol: dialect.protocol,
      onText: (text) => hear(person, text, welcome),
    })
    person.socket.send(await dialect.hello(person.user))
    await welcomed
    return person
  })
  for (let i = 0; i < users; i += 2) await pair(people[i], people[i + 1])

  async function pair(a, b) {
    const { room, frame } = dialect.room([a.user, b.user])
    a.room = b.room = room
    if (!frame) return
    await new Promise((resolve) => {
      a.made = resolve
      a.socket.send(frame)
    })
    a.made = undefined
  }

  function hear(person, text, welcome) {
    const ack = dialect.acknowledged(text)
    if (ack !== undefined) {
      if (person.made) person.made()
      else step(ack, true)
      return
    }
    const id = dialect.delivered(text)
    if (id !== undefined) {
      const entry = open.get(id)
      if (entry && entry.sender !== person) step(id, false)
    } else if (dialect.isWelcome(text)) welcome()
  }

  function step(id, isAcknowledgement) {
    const entry = open.get(id)
    if (!entry) return
    if (isAcknowledgement && isMeasuring) acknowledged++
    if (--entry.left > 0) return
    open.delete(id)
    if (isMeasuring) latencies.push(performance.now() - entry.at)
    if (!isOver) say(entry.sender)
  }

  function say(sender) {
    const id = randomUUID()
    open.set(id, { sender, at: performance.now(), left: 2 })
    sender.socket.send(dialect.message(sender.room, id, BODY))
  }

  for (const person of people) for (let i = 0; i < window; i++) say(person)
  await new Promise((resolve) => setTimeout(resolve, warmUpMs))
  process.send('measuring')
  isMeasuring = true
  const cpuBefore = process.cpuUsage()
  const from = performance.now()
  await new Promise((resolve) => setTimeout(resolve, measureMs))
  isMeasuring = false
  const seconds = (performance.now() - from) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  process.send({
    acknowledged,
    seconds,
    latencies: quantiles(latencies),
    clientCores: (cpu.user + cpu.system) / 1e6 / seconds,
  })
  isOver = true
  // What is on its way has to arrive: a lost message would be a finding.
  const deadline = Date.now() + 5_000
  while (open.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  process.send({ lost: open.size })
  for (const person of people) person.socket.close()
  process.disconnect()
})

function quantiles(values) {
  values.sort((a, b) => a - b)
  const at = (part) => values[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

async function inGroups(count, size, make) {
  const made = []
  for (let i = 0; i < count; i += size) {
    made.push(...(await Promise.all(Array.from({ length: Math.min(size, count - i) }, (_, j) => make(i + j)))))
  }
  return made
}
