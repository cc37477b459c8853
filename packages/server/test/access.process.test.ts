/** Who may do what to what: every operation and every way to read, by everybody, on what is there, was there and never was. */
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import type { OperationInputs, OperationName } from '@parley/protocol'
import { openAdministration, storeFile } from '@parley/server'
import { createIdentityTokenMinter } from '@parley/token'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations } from '../src/operations/table.ts'
import { Person, startTestServer, type TestServer, text } from './support.ts'

const WHO = ['participant', 'stranger', 'removed', 'left', 'other app', 'no session'] as const
const WHAT = ['existing', 'absent', 'deleted'] as const
type Who = (typeof WHO)[number]
type What = (typeof WHAT)[number]
interface Target {
  readonly conversation: string
  readonly message: string
}

/** One way to ask for each operation, or several that differ in what they may do. A verb without one does not compile. */
const asks = {
  'create-conversation': [({ conversation }) => ({ id: conversation, participants: ['ben'], distinct: false })],
  'send-message': [
    ({ conversation }, id) => ({ id, conversation, parts: text('x') }),
    ({ conversation, message }) => ({ id: message, conversation, parts: text('x') }),
  ],
  'mark-messages': [
    ({ conversation }) => ({ conversation, receipt: 'read', position: 1 }),
    ({ conversation }) => ({ conversation, receipt: 'delivery', position: 1, only: true }),
  ],
  'update-conversation': [
    ({ conversation }) => ({ conversation, patch: [{ operation: 'set', property: 'metadata.a', value: 'b' }] }),
    ({ conversation }) => ({ conversation, patch: [{ operation: 'add', property: 'participants', id: 'mallory' }] }),
    ({ conversation }) => ({ conversation, patch: [] }),
  ],
  'delete-conversation': [
    ({ conversation }) => ({ conversation, mode: 'all_participants' }),
    ({ conversation }) => ({ conversation, mode: 'my_devices' }),
    ({ conversation }) => ({ conversation, mode: 'my_devices', leave: true }),
  ],
  'delete-message': [
    ({ conversation, message }) => ({ conversation, message, mode: 'all_participants' }),
    ({ conversation, message }) => ({ conversation, message, mode: 'my_devices' }),
  ],
} as const satisfies {
  [Name in OperationName]: readonly ((target: Target, id: string) => OperationInputs[Name])[]
}

const reads = {
  'GET conversation': ({ conversation }: Target) => ['GET', `/conversations/${conversation}`],
  'GET messages': ({ conversation }: Target) => ['GET', `/conversations/${conversation}/messages`],
  'GET message': ({ message }: Target) => ['GET', `/messages/${message}`],
  'POST messages': ({ conversation }: Target) => ['POST', `/conversations/${conversation}/messages`],
  'PATCH conversation': ({ conversation }: Target) => ['PATCH', `/conversations/${conversation}`],
  'DELETE conversation': ({ conversation }: Target) => [
    'DELETE',
    `/conversations/${conversation}?mode=all_participants`,
  ],
  'DELETE message': ({ message }: Target) => ['DELETE', `/messages/${message}?mode=all_participants`],
  'POST receipts': ({ message }: Target) => ['POST', `/messages/${message}/receipts`],
  'POST mark_all_read': ({ conversation }: Target) => ['POST', `/conversations/${conversation}/mark_all_read`],
} as const

const bodyOf = (name: string): unknown => {
  if (name === 'POST messages') return { parts: text('x') }
  if (name === 'PATCH conversation') return [{ operation: 'set', property: 'metadata.a', value: 'b' }]
  if (name === 'POST receipts') return { type: 'read' }
  return name.startsWith('POST') ? {} : undefined
}

describe('who may do what', () => {
  let home: TestServer
  let otherToken: string
  let owner: Person
  const tokens = new Map<Who, string>()
  beforeAll(async () => {
    home = await startTestServer()
    const administration = await openAdministration(home.folder)
    const other = await administration.createApp({ algorithm: 'ES256' })
    await administration.close()
    const minter = createIdentityTokenMinter({ ...other, privateKey: other.privateKeyPem })
    const { nonce } = (await home.request('POST', '/nonces')).body as { nonce: string }
    // The same name as the owner of it all, in another app.
    const token = await minter.mint({ userId: 'owner', nonce })
    const answer = await home.request('POST', '/sessions', { body: { identity_token: token, app_id: other.appId } })
    otherToken = (answer.body as { session_token: string }).session_token
    owner = await home.connect('owner')
    for (const who of ['participant', 'stranger', 'removed', 'left'] as const) tokens.set(who, await home.signIn(who))
    tokens.set('other app', otherToken)
  })
  afterAll(async () => {
    owner.close()
    await home.close()
  })

  /** A conversation in which everybody had the part their name says, with a message, in the state that is asked for. */
  async function target(what: What): Promise<Target> {
    if (what === 'absent') return { conversation: randomUUID(), message: randomUUID() }
    const { id: conversation } = await owner.create('create-conversation', {
      participants: ['participant', 'removed', 'left'],
      distinct: false,
      metadata: { secret: 'canary' },
    })
    const { id: message } = await owner.create('send-message', { conversation, parts: text('canary') })
    const left = await Person.connect(home.server, tokens.get('left')!)
    await left.ask('delete-conversation', { conversation, mode: 'my_devices', leave: true })
    left.close()
    await owner.ask('update-conversation', {
      conversation,
      patch: [{ operation: 'remove', property: 'participants', id: 'removed' }],
    })
    if (what === 'deleted') await owner.ask('delete-conversation', { conversation, mode: 'all_participants' })
    return { conversation, message }
  }

  /** Everything that lies in the store of both apps. */
  function rows(): string {
    const Sqlite = createRequire(import.meta.url)('better-sqlite3') as typeof import('better-sqlite3')
    const db = new Sqlite(storeFile(home.folder), { readonly: true })
    const tables = ['conversations', 'participants', 'messages', 'identities', 'operations']
    const all = tables.map((table) => db.prepare(`SELECT * FROM ${table}`).all())
    db.close()
    return JSON.stringify(all)
  }

  /** Without what names the request itself. */
  const plain = (answer: unknown, ...ids: string[]) =>
    ids.reduce((said, id) => said.replaceAll(id, 'id'), JSON.stringify(answer))

  async function outcome(who: Who, name: OperationName, nth: number, what: Target): Promise<string> {
    const id = name === 'create-conversation' ? what.conversation : randomUUID()
    const input = asks[name][nth]!(what, id)
    const frameId = 'id' in input ? input.id : id
    const person = await Person.open(home.server)
    try {
      if (who !== 'no session') {
        person.say({ type: 'hello', session_token: tokens.get(who)!, cursor: null, epoch: null })
        await person.hear('welcome')
        return plain(await person.ask(name, input, frameId), frameId, id, what.conversation, what.message)
      }
      person.say({ type: 'operation', id: frameId, name, input } as never)
      return plain(await person.hear('refusal'))
    } finally {
      person.close()
    }
  }

  const names = Object.keys(operations) as OperationName[]
  const ways = names.flatMap((name) => asks[name].map((_, nth) => [name, nth] as const))

  it.each(ways)(
    'CNV-7 %s, way %i: to a stranger, another app and a former participant nothing is told or changed',
    async (name, nth) => {
      const isCreation = name === 'create-conversation'
      for (const who of ['stranger', 'other app', 'no session'] as const) {
        const answers = new Map<What, string>()
        for (const what of WHAT) {
          const it = await target(what)
          const before = rows()
          answers.set(what, await outcome(who, name, nth, it))
          // Whoever is signed in may create with an id of their own, and a foreign app's ids are free.
          const isFree = isCreation && (what === 'absent' || who === 'other app') && who !== 'no session'
          if (!isFree) expect([who, what, rows() === before]).toEqual([who, what, true])
        }
        const [existing, absent, deleted] = WHAT.map((what) => answers.get(what)!)
        if (isCreation && who === 'stranger') {
          // An id chosen by somebody else is taken; that is all there is to learn.
          for (const answer of [existing, deleted]) expect(answer).toContain('"id_in_use"')
          expect(existing).not.toContain('canary')
        } else {
          expect([who, existing]).toEqual([who, absent])
          expect([who, deleted]).toEqual([who, absent])
          const refusal = who === 'no session' ? '"authentication_required"' : '"not_found"'
          expect(absent).toContain(isCreation && who === 'other app' ? '"created"' : refusal)
        }
      }
      for (const who of ['removed', 'left'] as const) {
        const it = await target('existing')
        const before = rows()
        const answer = await outcome(who, name, nth, it)
        // DEL-6: what a removed participant kept may be taken off their devices.
        const isTidyingUp = who === 'removed' && /^delete/.test(name) && answer.includes('"result"')
        if (isTidyingUp) expect(JSON.stringify(asks[name][nth]!(it, ''))).toContain('my_devices')
        else {
          expect([who, answer]).toEqual([who, expect.stringContaining(isCreation ? '"id_in_use"' : '"access_denied"')])
          expect([who, rows() === before]).toEqual([who, true])
        }
        for (const what of ['absent', 'deleted'] as const) {
          if (isCreation) continue
          const gone = await target(what)
          const then = rows()
          const said = await outcome(who, name, nth, gone)
          if (!said.includes('"result"')) {
            expect([who, what, said]).toEqual([who, what, expect.stringContaining('"not_found"')])
            expect([who, what, rows() === then]).toEqual([who, what, true])
          } else expect([who, what, name]).toEqual(['removed', 'deleted', 'delete-conversation'])
        }
      }
    },
  )

  it.each(ways)('CNV-7 %s, way %i: a participant may, on what is there', async (name, nth) => {
    const existing = await outcome('participant', name, nth, await target('existing'))
    // The second way to send repeats an id that is the owner's.
    const isTaken = name === 'create-conversation' || (name === 'send-message' && nth === 1)
    expect(existing).toContain(isTaken ? '"id_in_use"' : '"result"')
    if (name === 'create-conversation') return
    for (const what of ['absent', 'deleted'] as const) {
      const before = await target(what)
      const then = rows()
      expect(await outcome('participant', name, nth, before)).toContain('"not_found"')
      expect(rows()).toBe(then)
    }
  })

  it('CON-9 pulls and pages: closed to all but those who take part, as if there were nothing', async () => {
    const seen: Record<string, string[]> = {}
    for (const what of WHAT) {
      const it = await target(what)
      for (const who of WHO) {
        if (who === 'no session') continue
        const person = await Person.connect(home.server, tokens.get(who)!)
        person.say({ type: 'pull', id: 1, streams: [{ stream: it.conversation as never, after: 0 }] })
        const pulled = await person.hear('rows')
        person.say({ type: 'page', id: 2, conversation: it.conversation as never, before: null, limit: 9 })
        const page = await person.hear('rows')
        person.say({ type: 'typing', conversation: it.conversation as never, action: 'started' })
        person.say({ type: 'ping' })
        await person.hear('pong')
        seen[who] = [...(seen[who] ?? []), plain([pulled, page], it.conversation)]
        if (who === 'removed' && what === 'existing') {
          expect(pulled.rows).toEqual([])
          expect(page.rows.filter((row) => row.type === 'message')).toHaveLength(1)
        }
        person.close()
      }
    }
    for (const who of ['stranger', 'other app', 'left'] as const) {
      const [existing, absent, deleted] = seen[who]!
      expect([who, existing, deleted]).toEqual([who, absent, absent])
    }
    expect(seen.participant![0]).toContain('canary')
    expect(
      owner.heard
        .filter((frame) => frame.type === 'typing')
        .map((frame) => frame.type === 'typing' && frame.sender.user_id),
    ).toEqual(['participant'])
  })

  it.each(Object.keys(reads) as (keyof typeof reads)[])(
    'CNV-7 %s: a stranger and another app cannot tell what exists from what never did',
    async (name) => {
      for (const who of ['stranger', 'other app', 'no session'] as const) {
        const answers: string[] = []
        for (const what of WHAT) {
          const it = await target(what)
          const before = rows()
          const [method, path] = reads[name](it) as [string, string]
          const body = bodyOf(name)
          const token = tokens.get(who)
          const answer = await home.request(method, path, {
            ...(token && { token }),
            ...(body !== undefined && { body }),
          })
          const { nonce } = (answer.body as { data?: { nonce?: string } }).data ?? {}
          answers.push(`${answer.status} ${plain(answer.body, it.conversation, it.message, ...(nonce ? [nonce] : []))}`)
          expect([who, what, rows() === before]).toEqual([who, what, true])
        }
        expect([who, answers[0]!.slice(0, 3)]).toEqual([who, who === 'no session' ? '401' : '404'])
        expect([who, answers]).toEqual([who, [answers[1], answers[1], answers[1]]])
      }
    },
  )
})
