/** The signature algorithms of identity tokens. Each belongs to exactly one kind of key. */
export type SigningAlgorithm = 'RS256' | 'ES256' | 'EdDSA'

export const signingAlgorithms: readonly SigningAlgorithm[] = ['RS256', 'ES256', 'EdDSA']

export function isSigningAlgorithm(text: string): text is SigningAlgorithm {
  return (signingAlgorithms as readonly string[]).includes(text)
}

/** The only content type of identity tokens. */
export const CONTENT_TYPE = 'layer-eit;v=1'
