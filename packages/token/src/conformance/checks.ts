/** What is checked of an authentication service, what it means to pass, and how to mend it otherwise. */
export const checks = {
  https: {
    pass: 'The service is reached over HTTPS, or on this machine.',
    howToMend: 'Serve it over HTTPS: whoever reads the traffic has the password and the token.',
  },
  answers: {
    pass: 'POST with good credentials and a nonce is answered with {"identity_token":"…"}.',
    howToMend: 'Answer POST with status 200 and the JSON {"identity_token":"…"}, without a redirect.',
  },
  'no-store': {
    pass: 'The answer says that it may not be stored.',
    howToMend: 'Send the header cache-control: no-store with every answer.',
  },
  form: {
    pass: 'The token is a compact JWS of three parts.',
    howToMend: 'Sign with a JWT library in compact form; header and claims are JSON objects in unpadded base64url.',
  },
  typ: { pass: 'The header says typ JWT.', howToMend: 'Set the header parameter "typ" to "JWT".' },
  cty: {
    pass: 'The header says cty layer-eit;v=1.',
    howToMend: 'Set the header parameter "cty" to "layer-eit;v=1", to the letter.',
  },
  algorithm: {
    pass: 'The algorithm is the one of the key.',
    howToMend: 'Sign with RS256 for an RSA key, ES256 for EC on P-256, EdDSA for Ed25519, and say so in "alg".',
  },
  'key-id': {
    pass: 'The header names a registered key.',
    howToMend: 'Set the header parameter "kid" to the id the key was registered under, layer:///keys/<uuid>.',
  },
  'key-strength': {
    pass: 'The key is sound.',
    howToMend: 'Make a new key pair (RSA of 2048 bits or more, EC on P-256, or Ed25519) and register its public half.',
  },
  signature: {
    pass: 'The signature is that of the registered key.',
    howToMend: 'Sign with the private half of the key that "kid" names, over the very bytes that are sent.',
  },
  issuer: {
    pass: 'The token names its provider.',
    howToMend: 'Set the claim "iss" to the provider id, layer:///providers/<uuid>.',
  },
  'nonce-echo': {
    pass: 'The token carries the nonce it was asked for.',
    howToMend: 'Copy the nonce of the request, unchanged, into the claim "nce".',
  },
  'user-id': {
    pass: 'The token is for the person who was authenticated.',
    howToMend: 'Set the claim "prn" to the id of the person your service has just authenticated.',
  },
  expiry: {
    pass: 'The token expires in good time.',
    howToMend: 'Set the claim "exp" to "iat" plus the length of a session, both in whole Unix seconds.',
  },
  clock: {
    pass: 'The clock of the service is right.',
    howToMend: 'Set the claim "iat" to the present in whole Unix seconds (UTC), and synchronise the clock (NTP).',
  },
  accepted: {
    pass: 'The token passes the verification of the server.',
    howToMend: 'Send only the documented headers and claims, each in its documented form.',
  },
  'token-cached': {
    pass: 'A second nonce gets a token of its own.',
    howToMend: 'Make a new token for every request, and switch off caches in front of the service.',
  },
  'nonce-once': {
    pass: 'A nonce for which a token was made is refused.',
    howToMend: 'Remember nonces for ten minutes and answer 409 to one that comes again. The handlers of the kit do.',
  },
  'nonce-required': {
    pass: 'Without a nonce there is no token.',
    howToMend: 'Answer 4xx when the request carries no nonce.',
  },
  'no-credentials': {
    pass: 'Without credentials there is no token.',
    howToMend: 'Authenticate every request, and answer 401 when nobody is authenticated.',
  },
  'wrong-credentials': {
    pass: 'With wrong credentials there is no token.',
    howToMend: 'Verify the password or session before you sign, and answer 401 when it is wrong.',
  },
  'own-user-only': {
    pass: "Asking for another person's token is of no use.",
    howToMend: 'Take the user id from your own session or account, never from the request.',
  },
  'no-get': {
    pass: 'GET is not answered with a token.',
    howToMend: 'Answer only POST. What GET returns is stored by caches, and its address by logs and histories.',
  },
} as const satisfies Record<string, { readonly pass: string; readonly howToMend: string }>

/** Names one check; stable, for scripts. */
export type CheckId = keyof typeof checks

/** What one check found. */
export interface Check {
  readonly id: CheckId
  readonly verdict: 'pass' | 'fail' | 'warn'
  readonly sentence: string
  /** Present unless it passed. */
  readonly howToMend?: string
}

export const pass = (id: CheckId): Check => ({ id, verdict: 'pass', sentence: checks[id].pass })

export const fail = (id: CheckId, sentence: string): Check => mendable(id, 'fail', sentence)

export const warn = (id: CheckId, sentence: string): Check => mendable(id, 'warn', sentence)

/** Failed if there is a problem to tell of. */
export const check = (id: CheckId, problem: string | undefined | false): Check =>
  problem ? fail(id, problem) : pass(id)

function mendable(id: CheckId, verdict: 'fail' | 'warn', sentence: string): Check {
  return { id, verdict, sentence, howToMend: checks[id].howToMend }
}
