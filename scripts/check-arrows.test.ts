import { describe, expect, test } from 'vitest'
import { wrongImports } from './arrows.mjs'

const declared = new Set(['ws', '@nats-io/transport-node'])
const importing = (file: string, name: string) => wrongImports(file, `import { x } from '${name}'\nx()`, declared)

describe('between packages', () => {
  test('a client that imports the server is told so', () => {
    expect(importing('client/src/client.ts', '@parley/server')).toEqual([
      'client/src/client.ts: client may not import @parley/server',
    ])
  })

  test.each([
    ['client/src/client.ts', '@parley/protocol'],
    ['server/src/edge/authenticate.ts', '@parley/token'],
    ['client/src/outbox/outbox.test.ts', '@parley/testkit'],
    ['cli/src/serve.ts', 'node:fs'],
    ['server/src/edge/socket.ts', 'ws'],
    ['server/src/bus/nats/bus.ts', '@nats-io/transport-node/sub'],
  ])('%s may import %s', (file, name) => {
    expect(importing(file, name)).toEqual([])
  })

  test.each([
    ['client/src/client.ts', '@parley/testkit'],
    ['client/src/client.ts', '@parley/client'],
    ['client/src/client.ts', '../../server/src/main.ts'],
    ['token/src/mint.ts', 'left-pad'],
    ['protocol/src/ids.ts', '@parley/token'],
  ])('%s may not import %s', (file, name) => {
    expect(importing(file, name)).toHaveLength(1)
  })

  test.each([
    "export { x } from '@parley/server'",
    "const x = await import('@parley/server')",
    "type X = import('@parley/server').X",
    "import type { X } from '@parley/server'",
    "import '@parley/server'",
  ])('every way to import is seen: %s', (text) => {
    expect(wrongImports('client/src/client.ts', text, declared)).toHaveLength(1)
  })

  test('words in comments and strings are no imports', () => {
    expect(
      wrongImports('client/src/a.ts', "// import '@parley/server'\nconst t = `import '@parley/server'`", declared),
    ).toEqual([])
  })
})

describe('inside the server', () => {
  test.each([
    ['edge/socket.ts', '../operations/send-message.ts'],
    ['operations/send-message.ts', '../model/message.ts'],
    ['operations/send-message.ts', '../store/store.ts'],
    ['store/sqlite/store.ts', '../store.ts'],
    ['model/unread.ts', '@parley/protocol'],
    ['main.ts', './edge/socket.ts'],
    ['delivery/fan-out.test.ts', '../edge/socket.ts'],
  ])('%s may import %s', (file, name) => {
    expect(importing(`server/src/${file}`, name)).toEqual([])
  })

  test.each([
    ['delivery/fan-out.ts', '../edge/socket.ts'],
    ['surprise/new.ts', '../model/message.ts'],
    ['operations/send-message.ts', '../edge/socket.ts'],
    ['operations/send-message.ts', '../store/sqlite/store.ts'],
    ['store/sqlite/store.ts', '../memory/store.ts'],
    ['store/sqlite/store.ts', '../../operations/send-message.ts'],
    ['model/unread.ts', 'node:crypto'],
    ['model/unread.ts', 'ws'],
  ])('%s may not import %s', (file, name) => {
    expect(importing(`server/src/${file}`, name)).toHaveLength(1)
  })
})
