import type { OperationName, Refusal } from '@parley/protocol'
import type { Session } from '../../model/state.ts'
import type { Outcome } from '../../operations/lane-request.ts'
import { operations } from '../../operations/table.ts'
import type { Edge } from '../edge.ts'
import { parseInput } from '../json-input.ts'

/** Checks what came in against the operation's schema and hands it over. */
export async function submit(
  edge: Edge,
  session: Pick<Session, 'app' | 'userId'>,
  name: OperationName,
  raw: unknown,
): Promise<Outcome | { readonly refusal: Refusal }> {
  const { schema, operation } = operations[name]
  const parsed = parseInput(schema, raw)
  if ('refusal' in parsed) return parsed
  return edge.lane.submit({
    // Schema and operation of one row of the table belong together; the union of rows cannot say so.
    operation: operation as never,
    input: parsed.input as never,
    app: session.app,
    userId: session.userId,
    operationId: null,
  })
}

/** The members of a JSON object that came in; a refusal for anything else. */
export function members(value: unknown): { readonly members: Record<string, unknown> } | { readonly refusal: Refusal } {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { members: value as Record<string, unknown> }
  }
  return { refusal: { id: 'invalid_request', message: 'Expected a JSON object.' } }
}
