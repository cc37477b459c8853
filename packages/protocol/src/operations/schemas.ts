/** Schemas shared by operations. Each parses from what a stranger sent to what the server works with. */
import * as v from 'valibot'
import { isStorableText, parseConversationId, parseIdentityId, parseMessageId, parseUuid, type Uuid } from '../ids.ts'
import { limits } from '../limits.ts'
import { type Metadata, metadataFault } from '../metadata.ts'

const parsed = <T>(read: (text: string) => T | undefined, message: string) =>
  v.pipe(
    v.string(message),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = read(dataset.value)
      if (value !== undefined) return value
      addIssue({ message })
      return NEVER
    }),
  )

export const uuid = parsed(parseUuid, 'Expected a UUID.')
export const conversation = parsed(parseConversationId, 'Expected a conversation id.')
export const message = parsed(parseMessageId, 'Expected a message id.')
export const identity = parsed((text) => parseIdentityId(text, { allowBare: true }), 'Expected an identity id.')
export const position = v.pipe(v.number(), v.safeInteger(), v.minValue(1))

export const text = v.pipe(v.string(), v.check(isStorableText, 'Text may hold neither U+0000 nor lone surrogates.'))

export const metadata = v.pipe(
  v.custom<Metadata>((value) => typeof value === 'object' && value !== null, 'Metadata is an object.'),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const fault = metadataFault(dataset.value)
    if (fault) addIssue({ message: fault })
    else if (JSON.stringify(dataset.value).length > limits.maxMetadataLength) {
      addIssue({ message: `Metadata has at most ${limits.maxMetadataLength} characters of JSON.` })
    }
  }),
)

/** Lists are bounded before their members are looked at, so that a hostile list costs nothing. */
export const list = <T extends v.GenericSchema>(item: T, max: number, min = 0) =>
  v.pipe(
    v.custom<v.InferInput<T>[]>((value) => Array.isArray(value), 'Expected a list.'),
    v.maxLength(max, `Expected at most ${max} items.`),
    v.minLength(min, `Expected at least ${min} items.`),
    v.array(item),
  )

export type { Uuid }
