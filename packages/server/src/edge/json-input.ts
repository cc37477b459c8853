import { invalidProperty, isTooDeep, limits, missingProperty, type Refusal, refuse } from '@parley/protocol'
import * as v from 'valibot'
import { isCostlyJson } from './json-cost.ts'

const MAX_SENTENCE_LENGTH = 200

type Decoded = { readonly value: unknown } | { readonly refusal: Refusal }

/** Decodes JSON text, within bounds. */
export function decodeJson(text: string): Decoded {
  const decoded = decodeText(text)
  return 'refusal' in decoded ? decoded : (refuseDeep(decoded.value) ?? decoded)
}

/** Decodes JSON text that may still nest too deep. */
export function decodeText(text: string): Decoded {
  if (isCostlyJson(text))
    return refuse('invalid_request', { message: 'JSON with so many members, or so deep, is not read.' })
  try {
    return { value: JSON.parse(text) }
  } catch {
    return refuse('invalid_request', { message: 'This is not JSON.' })
  }
}

/** The refusal of a value that nests too deep; undefined for others. */
export function refuseDeep(value: unknown): { readonly refusal: Refusal } | undefined {
  if (!isTooDeep(value, limits.maxJsonDepth)) return undefined
  return refuse('invalid_request', { message: `JSON may nest at most ${limits.maxJsonDepth} levels.` })
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
