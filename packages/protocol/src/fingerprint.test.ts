import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { upFrame } from './frames/up.ts'
import { SUBPROTOCOL } from './frames/version.ts'
import { operationSchemas } from './operations/index.ts'

/**
 * The shape of a schema, as text: types, members, choices, bounds. Not the sentences.
 */
function shapeOf(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(shapeOf)
  if (typeof schema === 'function') return schema.name === 'Array' ? 'Array' : 'rule'
  if (schema instanceof RegExp) return String(schema)
  if (typeof schema !== 'object' || schema === null) return schema
  const told = [
    'kind',
    'type',
    'entries',
    'options',
    'wrapped',
    'item',
    'pipe',
    'key',
    'literal',
    'requirement',
    'default',
  ]
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name]) => told.includes(name) || !('kind' in schema))
      .map(([name, value]) => [name, shapeOf(value)]),
  )
}

const fingerprint = (schemas: unknown) =>
  createHash('sha256')
    .update(JSON.stringify(shapeOf(schemas)))
    .digest('hex')
    .slice(0, 16)

it('what a client may say has not changed without anybody noticing', () => {
  // When this fails, something on the wire has changed. If an old peer would misunderstand it, raise SUBPROTOCOL;
  // either way write the new fingerprints here.
  expect({
    SUBPROTOCOL,
    frames: fingerprint(upFrame),
    operations: Object.fromEntries(
      Object.entries(operationSchemas).map(([name, schema]) => [name, fingerprint(schema)]),
    ),
  }).toMatchInlineSnapshot(`
    {
      "SUBPROTOCOL": "parley.1",
      "frames": "7835c9cb00809574",
      "operations": {
        "create-conversation": "a3712806fadc16ec",
        "delete-conversation": "94fe716bb19b5de9",
        "delete-message": "6294c1104f69e250",
        "mark-messages": "7ee02bf338646982",
        "send-message": "4b92f179c1270aa5",
        "update-conversation": "d980b6550e8622bd",
      },
    }
  `)
})

it('the fingerprint notices a bound, a member and a choice', () => {
  const one = { kind: 'schema', type: 'object', entries: { a: { kind: 'schema', type: 'string' } } }
  expect(fingerprint(one)).not.toBe(fingerprint({ ...one, entries: { b: { kind: 'schema', type: 'string' } } }))
  expect(fingerprint({ ...one, requirement: 1 })).not.toBe(fingerprint({ ...one, requirement: 2 }))
  expect(fingerprint({ ...one, options: ['a'] })).not.toBe(fingerprint({ ...one, options: ['a', 'b'] }))
})
