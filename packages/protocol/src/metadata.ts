import { clientLimits } from './client-limits.ts'
import { isStorableText } from './ids.ts'
import { utf8Length } from './json.ts'

/** A tree of strings that all participants of a conversation share and may write. */
export interface Metadata {
  readonly [key: string]: string | Metadata
}

const KEY = /^[A-Za-z0-9_-]+$/

/** Why a value cannot be metadata, as a sentence; undefined if it can. */
export function metadataFault(value: unknown, depth: number = clientLimits.maxMetadataDepth): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'Metadata is an object.'
  if (depth === 0) return `Metadata nests at most ${clientLimits.maxMetadataDepth} levels.`
  for (const [key, member] of Object.entries(value)) {
    const fault = keyFault(key) ?? valueFault(member, depth)
    if (fault) return fault
  }
  return undefined
}

function keyFault(key: string): string | undefined {
  if (key === '__proto__') return `'__proto__' cannot be a metadata key.`
  if (!KEY.test(key)) return 'A metadata key consists of letters, digits, - and _.'
  if (key.length > clientLimits.maxMetadataKeyLength) {
    return `A metadata key has at most ${clientLimits.maxMetadataKeyLength} characters.`
  }
  return undefined
}

function valueFault(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'string') {
    return typeof value === 'object' ? metadataFault(value, depth - 1) : 'Metadata values are strings or objects.'
  }
  if (!isStorableText(value)) return 'Text may hold neither U+0000 nor lone surrogates.'
  if (utf8Length(value) > clientLimits.maxMetadataValueBytes) {
    return `A metadata value has at most ${clientLimits.maxMetadataValueBytes} bytes.`
  }
  return undefined
}

/** A copy with `value` at `path`; missing levels are created. Undefined if the path steps through a string. */
export function setMetadata(
  metadata: Metadata,
  path: readonly string[],
  value: string | Metadata,
): Metadata | undefined {
  const [key, ...rest] = path as [string, ...string[]]
  if (rest.length === 0) return { ...metadata, [key]: value }
  const child = Object.hasOwn(metadata, key) ? metadata[key]! : {}
  if (typeof child === 'string') return undefined
  const changed = setMetadata(child, rest, value)
  return changed && { ...metadata, [key]: changed }
}

/** A copy without what is at `path`; an absent key changes nothing. Undefined if the path steps through a string. */
export function deleteMetadata(metadata: Metadata, path: readonly string[]): Metadata | undefined {
  const [key, ...rest] = path as [string, ...string[]]
  if (!Object.hasOwn(metadata, key)) return metadata
  if (rest.length === 0) {
    const { [key]: _gone, ...kept } = metadata
    return kept
  }
  const child = metadata[key]!
  if (typeof child === 'string') return undefined
  const changed = deleteMetadata(child, rest)
  return changed && { ...metadata, [key]: changed }
}
