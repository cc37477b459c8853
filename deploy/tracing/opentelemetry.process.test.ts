/** The shipped server with the adapter to OpenTelemetry, and a collector that looks at what it is sent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@parley/client'
import { createMemoryStorage } from '@parley/client/memory'
import { createApp, parley, startParley } from '@parley/testkit'
import { createIdentityTokenMinter } from '@parley/token'
import { afterAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'

const ACCEPT = 'application/vnd.layer+json; version=2.0'
const adapter = fileURLToPath(new URL('opentelemetry.mjs', import.meta.url))
const dataFolder = mkdtempSync(join(tmpdir(), 'parley-tracing-'))
afterAll(() => rmSync(dataFolder, { recursive: true, force: true }))

/** A span as OTLP has it in JSON. */
interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: object }[]
  readonly status: { readonly code?: number }
}

async function startCollector() {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      bodies.push(`${request.method} ${request.url} ${body}`)
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const spans = (): SentSpan[] =>
    bodies.flatMap((body) => {
      expect(body.startsWith('POST /v1/traces {')).toBe(true)
      const { resourceSpans } = JSON.parse(body.slice('POST /v1/traces '.length))
      return resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: { spans: SentSpan[] }[] }) =>
        scopeSpans.flatMap((scope) => scope.spans),
      )
    })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, spans, text: () => bodies.join('\n'), close: () => server.close() }
}

it('requests, operations and calls of the store are spans, and name nobody', async () => {
  const collector = await startCollector()
  const app = await createApp(dataFolder, ['--algorithm', 'ES256'])
  const server = await startParley({
    dataFolder,
    args: ['--tracing', adapter],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'bakery-chat' },
  })
  const { providerId, keyId, privateKeyPem: privateKey } = app
  const minter = createIdentityTokenMinter({ providerId, keyId, privateKey })
  const client = createClient({
    appId: app.appId,
    url: server.url,
    storage: createMemoryStorage(),
    webSocket: WebSocket as never,
    challenge: ({ nonce }) => minter.mint({ userId: 'alice-the-baker', nonce }),
  })
  await client.authenticate('alice-the-baker')
  const { conversation, acknowledged } = await client.createConversation({ participants: ['ben-the-guest'] })
  await acknowledged
  await (await client.conversation(conversation.id).sendMessage([{ mime_type: 'text/plain', body: 'bread' }]))
    .acknowledged
  // Somebody's gateway asks as a part of its own trace, and signs a user in over HTTP.
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const post = async (path: string, body: object, headers: object = {}) => {
    const answer = await fetch(server.url + path, {
      method: 'POST',
      headers: { accept: ACCEPT, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return (await answer.json()) as Record<string, string>
  }
  const { appId: app_id } = app
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`
  const { nonce } = await post('/nonces', { app_id }, { traceparent })
  const identity_token = await minter.mint({ userId: 'ben-the-guest', nonce: nonce! })
  expect(await post('/sessions', { identity_token, app_id })).toHaveProperty('session_token')
  await client.close()
  expect((await server.terminate()).code).toBe(0)
  const spans = collector.spans()
  collector.close()

  const named = (name: string) => spans.filter((span) => span.name === name)
  const [session] = named('POST /sessions')
  expect(session!.parentSpanId).toBeUndefined()
  expect(named('POST /nonces').map((span) => [span.traceId === traceId, span.parentSpanId])).toEqual([
    [true, 'b7ad6b7169203331'],
  ])
  // One on the socket, one over HTTP.
  expect(named('operation open-session')).toHaveLength(2)
  expect(spans.some((span) => span.name.startsWith('store ') && span.parentSpanId === session!.spanId)).toBe(true)
  const [sent] = named('operation send-message')
  expect(sent!.attributes).toEqual([{ key: 'parley.outcome', value: { stringValue: 'done' } }])
  expect(sent!.parentSpanId).toBeUndefined()
  expect(BigInt(sent!.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(sent!.startTimeUnixNano))
  expect(named('store log.commit').length).toBeGreaterThan(0)
  expect(spans.filter(({ status }) => status.code === 2)).toEqual([])
  expect(collector.text()).toContain('"bakery-chat"')
  for (const secret of ['alice-the-baker', 'ben-the-guest', 'bread', conversation.id.split('/').at(-1)!, app.appId]) {
    expect(collector.text()).not.toContain(secret)
  }
})

it('a module that cannot be told of anything is refused with a sentence', async () => {
  const other = join(dataFolder, 'other.mjs')
  writeFileSync(other, 'export default {}')
  const mute = parley(['serve', '--data', dataFolder, '--port', '0', '--tracing', other])
  expect((await mute.exit).code).toBe(1)
  expect(mute.lines).toEqual([
    `parley: ${other} cannot be told of anything: its default export has no function 'begin'.`,
  ])
  const missing = parley(['serve', '--data', dataFolder, '--port', '0', '--tracing', './missing.mjs'])
  expect((await missing.exit).code).toBe(1)
  expect(missing.lines[0]).toContain('./missing.mjs cannot be loaded')
})
