/**
 * Provider and key ids: `layer:///providers/<uuid>` and `layer:///keys/<uuid>`. Readers accept the bare UUID as well,
 * because Layer's own samples wrote either; writers produce the whole id.
 */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const PROVIDERS = 'layer:///providers/'
const KEYS = 'layer:///keys/'

export const providerId = (uuid: string): string => PROVIDERS + uuid
export const keyId = (uuid: string): string => KEYS + uuid

/** The bare, lower-case UUID of a provider id, or undefined. */
export const parseProviderId = (text: string): string | undefined => parsePrefixedUuid(PROVIDERS, text)
/** The bare, lower-case UUID of a key id, or undefined. */
export const parseKeyId = (text: string): string | undefined => parsePrefixedUuid(KEYS, text)

function parsePrefixedUuid(prefix: string, text: string): string | undefined {
  const bare = text.startsWith(prefix) ? text.slice(prefix.length) : text
  if (bare.length !== 36) return undefined
  const lower = bare.toLowerCase()
  return UUID.test(lower) ? lower : undefined
}
