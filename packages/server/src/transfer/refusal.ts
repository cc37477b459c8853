/** A transfer that must not begin, or must not go on; the sentence says why and what to do. */
export class TransferRefused extends Error {
  override readonly name = 'TransferRefused'
}
