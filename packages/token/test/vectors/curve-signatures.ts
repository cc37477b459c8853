/** Signatures of the two curves, each bent in one of the ways that verifiers were found to let pass. */

type Bytes = Uint8Array
type Bend = (signature: Bytes) => Bytes

const P256 = {
  order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  field: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
}
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

const toNumber = (bytes: Bytes): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)
const toBytes = (value: bigint, length = 32): Bytes =>
  Uint8Array.from(Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex'))
const join = (...parts: readonly Bytes[]): Bytes => Uint8Array.from(Buffer.concat(parts))
const halves = (signature: Bytes): [Bytes, Bytes] => [signature.subarray(0, 32), signature.subarray(32)]
const reversed = (bytes: Bytes): Bytes => bytes.toReversed()

/** The values that either half is replaced by: nothing, the ends of the range and of the field, and near them. */
const numbers: Readonly<Record<string, bigint>> = {
  zero: 0n,
  one: 1n,
  two: 2n,
  'the order': P256.order,
  'the order less one': P256.order - 1n,
  'the order and one': P256.order + 1n,
  'half the order': (P256.order - 1n) / 2n,
  'the field': P256.field,
  'the field and one': P256.field + 1n,
  'all ones': 2n ** 256n - 1n,
  'the top bit': 2n ** 255n,
}

const es256: Readonly<Record<string, Bend>> = {
  ...Object.fromEntries(
    Object.entries(numbers).flatMap(([left, r]): [string, Bend][] => [
      [`r is ${left}`, (signature) => join(toBytes(r), halves(signature)[1])],
      [`s is ${left}`, (signature) => join(halves(signature)[0], toBytes(r))],
      ...Object.entries(numbers).map(([right, s]): [string, Bend] => [
        `r is ${left}, s is ${right}`,
        () => join(toBytes(r), toBytes(s)),
      ]),
    ]),
  ),
  'r and s exchanged': (signature) => join(halves(signature)[1], halves(signature)[0]),
  'r twice': (signature) => join(halves(signature)[0], halves(signature)[0]),
  'each half backwards': (signature) => join(...halves(signature).map(reversed)),
  'a zero before each half': (signature) => join(...halves(signature).flatMap((half) => [Uint8Array.of(0), half])),
  'halves of 48 bytes': (signature) => join(...halves(signature).flatMap((half) => [new Uint8Array(16), half])),
  'halves of 66 bytes': (signature) => join(...halves(signature).flatMap((half) => [new Uint8Array(34), half])),
  'r less the order, in two’s complement': (signature) =>
    join(toBytes((toNumber(halves(signature)[0]) - P256.order + 2n ** 256n) % 2n ** 256n), halves(signature)[1]),
  DER: (signature) => derOf(...halves(signature)),
  'DER, filled up to 64 bytes': (signature) => join(derOf(...halves(signature)), new Uint8Array(64)).subarray(0, 64),
}

const eddsa: Readonly<Record<string, Bend>> = {
  'S and the order': (signature) =>
    join(halves(signature)[0], littleEndian(fromLittle(halves(signature)[1]) + ED25519_ORDER)),
  'S and eight times the order': (signature) =>
    join(halves(signature)[0], littleEndian((fromLittle(halves(signature)[1]) + 8n * ED25519_ORDER) % 2n ** 256n)),
  'S is zero': (signature) => join(halves(signature)[0], new Uint8Array(32)),
  'S is the order': (signature) => join(halves(signature)[0], littleEndian(ED25519_ORDER)),
  'R is zero': (signature) => join(new Uint8Array(32), halves(signature)[1]),
  'R is the neutral point, S is zero': () => join(littleEndian(1n), new Uint8Array(32)),
  'R is the neutral point, S is one': () => join(littleEndian(1n), littleEndian(1n)),
  'R is a point of order two': () => join(littleEndian(2n ** 255n - 20n), new Uint8Array(32)),
  'R is no point': (signature) => join(littleEndian(2n), halves(signature)[1]),
  'R is written beyond the field': (signature) => join(littleEndian(2n ** 255n - 19n), halves(signature)[1]),
  'the sign of R turned': (signature) => changed(signature, 31, 0x80),
  'the top bit of S set': (signature) => changed(signature, 63, 0x80),
  'R and S exchanged': (signature) => join(halves(signature)[1], halves(signature)[0]),
  'all ones': () => new Uint8Array(64).fill(0xff),
}

/** Ways that fit every algorithm: lengths, and one bit at a time. */
const common: Readonly<Record<string, Bend>> = {
  nothing: () => new Uint8Array(0),
  'one byte': () => Uint8Array.of(0),
  'half of it': (signature) => signature.subarray(0, signature.length / 2),
  'the last byte missing': (signature) => signature.subarray(0, -1),
  'the first byte missing': (signature) => signature.subarray(1),
  'a zero behind': (signature) => join(signature, Uint8Array.of(0)),
  'a zero before': (signature) => join(Uint8Array.of(0), signature),
  'itself twice': (signature) => join(signature, signature),
  'a kilobyte': () => new Uint8Array(1024).fill(1),
  zeros: (signature) => new Uint8Array(signature.length),
  backwards: (signature) => reversed(signature),
  ...Object.fromEntries(
    Array.from({ length: 8 }, (_, eighth): [string, Bend] => [
      `one bit of the ${eighth + 1}. eighth changed`,
      (signature) => changed(signature, Math.floor((signature.length * eighth) / 8), 1 << eighth),
    ]),
  ),
}

export const bends = { RS256: common, ES256: { ...common, ...es256 }, EdDSA: { ...common, ...eddsa } } as const

const changed = (bytes: Bytes, at: number, mask: number): Bytes => bytes.with(at, bytes[at]! ^ mask)
const littleEndian = (value: bigint): Bytes => toBytes(value).toReversed()
const fromLittle = (bytes: Bytes): bigint => toNumber(bytes.toReversed())

function derOf(...parts: readonly Bytes[]): Bytes {
  const integers = parts.map((half) => (half[0]! & 0x80 ? join(Uint8Array.of(0), half) : half))
  const content = join(...integers.flatMap((bytes) => [Uint8Array.of(2, bytes.length), bytes]))
  return join(Uint8Array.of(0x30, content.length), content)
}
