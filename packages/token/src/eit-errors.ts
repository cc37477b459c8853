/** Why an identity token was refused. The codes are Layer's and never change; sentences may improve. */
export const eitErrors = {
  eit_wrong_jws_part_count: 'The identity token is not a compact JWS of three parts.',
  eit_malformed_base64url: 'A part of the identity token is not canonical base64url.',
  eit_malformed_json: 'The header or the claims of the identity token are not a plain JSON object.',
  eit_header_param_not_found: 'A required header parameter of the identity token is missing.',
  eit_header_param_wrong_type: 'A header parameter of the identity token is not a string.',
  eit_header_param_wrong_value: 'A header parameter of the identity token has a value that is not allowed.',
  eit_key_malformed: 'The key id of the identity token is not well formed.',
  eit_key_not_found: 'There is no key with the id the identity token names.',
  eit_key_disabled: 'The key that signed the identity token is disabled.',
  eit_key_deleted: 'The key that signed the identity token was deleted.',
  eit_signature_verification_failed: 'The signature of the identity token does not match its key.',
  eit_claim_not_found: 'A required claim of the identity token is missing.',
  eit_claim_wrong_type: 'A claim of the identity token has a value that is not allowed.',
  eit_provider_not_found: 'There is no provider with the id the identity token names.',
  eit_provider_not_bound_to_app: 'The provider of the identity token does not speak for this app.',
  eit_not_before: 'The identity token is not valid yet. Compare the clocks of both servers.',
  eit_expired: 'The identity token has expired.',
  eit_nonce_not_found: 'The nonce of the identity token was not issued here, was used before, or is too old.',
  eit_user_suspended: 'This user is suspended.',
} as const satisfies Record<string, string>

/** One of the nineteen documented `eit_*` codes. */
export type EitErrorCode = keyof typeof eitErrors

/** A token refused: the code for programs, the sentence for a person. Never carries anything the token said. */
export interface EitRefusal {
  readonly ok: false
  readonly error: EitErrorCode
  readonly sentence: string
}

export function refuseToken(error: EitErrorCode, sentence: string = eitErrors[error]): EitRefusal {
  return { ok: false, error, sentence }
}
