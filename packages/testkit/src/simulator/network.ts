/**
 * How a tab reaches the server: by sockets that can be cut and requests that can be lost, on a network as bad as the plan
 * wants it.
 */
import type { createClient } from '@parley/client'
import type { Surroundings } from './surroundings.ts'
import type { Tab } from './tab.ts'
import { type DeviceEnd, Wire } from './wire.ts'

type ClientOptions = Parameters<typeof createClient>[0]
type Fetch = NonNullable<ClientOptions['fetch']>
type RequestInit = Parameters<Fetch>[1]
type Answer = ReturnType<Fetch>

export function openWire(world: Surroundings, tab: Tab): ReturnType<NonNullable<ClientOptions['sockets']>> {
  const { timeline, chance, plan, server, onFrame, onSaid, tamper, isCalm } = world
  const wire: Wire = new Wire({
    timeline,
    chance,
    latencyMs: plan.latencyMs,
    maxUnsentBytes: isCalm() ? 1_048_576 : plan.maxUnsentBytes,
    serverPatienceMs: 45_000,
    accept: (socket) => server.accept(socket, wire),
    onFrame,
    onSaid,
    tamper,
  })
  tab.wires.clear()
  tab.wires.add(wire)
  return heardBy(tab, wire.device)
}

/** A request nobody answers any more ends when its caller gives it up. */
export function fetchFor(world: Surroundings, tab: Tab, init: RequestInit): Answer {
  return new Promise((resolve, reject) => {
    init.signal?.addEventListener('abort', () => reject(new TypeError('The request was given up.')), { once: true })
    fetchOnce(world, tab, init).then(resolve, reject)
  })
}

async function fetchOnce(world: Surroundings, tab: Tab, init: RequestInit): Answer {
  const { timeline, chance, plan, server, isCalm } = world
  const isLost = () => !isCalm() && chance.number() < plan.requestTrouble
  await timeline.pause(chance.below(plan.latencyMs + 1))
  const token = /session-token="([^"]*)"/.exec(init.headers.authorization ?? '')?.[1]
  const answer = isLost() ? undefined : await server.endSession(token)
  await timeline.pause(chance.below(plan.latencyMs + 1))
  if (tab.isDead) return new Promise(() => undefined)
  if (init.signal?.aborted || !answer || isLost()) throw new TypeError('The simulated network lost it.')
  const text = JSON.stringify(answer.body)
  return { status: answer.status, headers: { get: () => null }, text: async () => text }
}

/** A socket whose words reach a tab that sleeps when it wakes. */
function heardBy(tab: Tab, end: DeviceEnd): DeviceEnd {
  const heard: DeviceEnd = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (text) => end.send(text),
    close: () => end.close(),
  }
  end.onopen = () => tab.run(() => heard.onopen?.())
  end.onmessage = (text) => tab.run(() => heard.onmessage?.(text))
  end.onclose = (code) => tab.run(() => heard.onclose?.(code))
  return heard
}
