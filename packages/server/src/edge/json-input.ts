import { invalidProperty, isTooDeep, limits, missingProperty, type Refusal, refuse } from '@parley/protocol'
import * as v from 'valibot'

const MAX_SENTENCE_LENGTH = 200

/** Decodes JSON text, within bounds. */
export function decodeJson(text: string): { readonly value: unknown } | { readonly refusal: Refusal } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('invalid_request', { message: 'This is not JSON.' })
  }
  if (isTooDeep(value, limits.maxJsonDepth)) {
    return refuse('invalid_request', { message: `JSON may nest at most ${limits.maxJsonDepth} levels.` })
  }
  return { value }
}

/** Checks a value against a schema; the first fault is told with the property it is in. */
export function parseInput<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): { readonly input: v.InferOutput<Schema> } | { readonly refusal: Refusal } {
  const parsed = v.safeParse(schema, value, { abortEarly: true })
  if (parsed.success) return { input: parsed.output }
  const issue = parsed.issues[0]
  const path = v.getDotPath(issue)
  // It may quote what came in, whatever its length.
  const message = issue.message.slice(0, MAX_SENTENCE_LENGTH)
  if (path === null) return refuse('invalid_request', { message })
  const isMissing = issue.input === undefined
  return isMissing ? missingProperty(path) : invalidProperty(path, message)
}
