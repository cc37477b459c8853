export { type SigningAlgorithm, signingAlgorithms } from './algorithms.ts'
export { type EitErrorCode, type EitRefusal, eitErrors } from './eit-errors.ts'
export {
  type AuthenticatedUser,
  type Authentication,
  answerTokenRequest,
  type RefusedRequest,
  type RequestBody,
  type TokenAnswer,
  type TokenHandlerOptions,
  type TokenRequest,
  type TokenRules,
  tokenRules,
} from './handlers/answer-token-request.ts'
export {
  type FastifyApp,
  type FastifyHandlerOptions,
  type FastifyTokenRequest,
  fastifyHandler,
} from './handlers/fastify-handler.ts'
export { fetchHandler } from './handlers/fetch-handler.ts'
export { type NodeHandlerOptions, type NodeRequest, type NodeResponse, nodeHandler } from './handlers/node-handler.ts'
export { type ClaimNonce, createNonceMemory, type NonceMemoryOptions } from './handlers/nonce-memory.ts'
export { generateProviderKey, type ProviderKey } from './keys/generate-provider-key.ts'
export {
  type ImportedPublicKey,
  importPublicKey,
  type PublicJwk,
  type PublicKeyErrorCode,
  type PublicKeyRefusal,
  publicKeyErrors,
} from './keys/import-public-key.ts'
export {
  createIdentityTokenMinter,
  DEFAULT_LIFETIME_SECONDS,
  type IdentityTokenMinter,
  type IdentityTokenMinterOptions,
  type MintRequest,
} from './mint-identity-token.ts'
export type { TimeRules } from './verify/check-times.ts'
export { type NamedInToken, peekToken } from './verify/peek-token.ts'
export type { IdentityTokenClaims, ProfileClaims } from './verify/read-claims.ts'
export {
  type FoundKey,
  type IdentityTokenPorts,
  type IdentityTokenVerdict,
  verifyIdentityToken,
} from './verify/verify-identity-token.ts'
