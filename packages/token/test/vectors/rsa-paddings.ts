/**
 * RSA signatures that a careless verifier takes: blocks that are nearly the one PKCS #1 v1.5 block for a digest, raised
 * to the private exponent. Whoever searches the block for the digest, instead of building the block and comparing, is
 * fooled by some of them (CVE-2006-4339 and its many grandchildren).
 */
import { constants, createHash, privateDecrypt } from 'node:crypto'

type Bytes = readonly number[]
type Change = (of: { readonly digestInfo: Bytes; readonly digest: Bytes; readonly length: number }) => Bytes

const OID = { sha256: [2, 1], sha384: [2, 2], sha512: [2, 3], sha224: [2, 4] } as const
const hashOid = (last: Bytes): Bytes => [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, ...last]
const der = (tag: number, content: Bytes): Bytes => [tag, content.length, ...content]
/** A length written with more bytes than it needs: BER, not DER. */
const long = (tag: number, content: Bytes): Bytes => [tag, 0x81, content.length, ...content]
const longer = (tag: number, content: Bytes): Bytes => [tag, 0x82, 0, content.length, ...content]
const NULL = [0x05, 0x00]

interface Info {
  readonly oid?: Bytes
  readonly parameters?: Bytes
  readonly digest: Bytes
  readonly wrap?: Partial<Record<'outer' | 'algorithm' | 'oid' | 'digest', typeof der>>
}
const info = ({ oid = hashOid(OID.sha256), parameters = NULL, digest, wrap = {} }: Info): Bytes =>
  (wrap.outer ?? der)(0x30, [
    ...(wrap.algorithm ?? der)(0x30, [...(wrap.oid ?? der)(0x06, oid), ...parameters]),
    ...(wrap.digest ?? der)(0x04, digest),
  ])

/** `00 <type> <padding> 00 <content>`, filled up to the length of the modulus. */
const block = (length: number, content: Bytes, { type = 1, fill = 0xff, end = 0 } = {}): Bytes => [
  ...[0, type],
  ...Array.from({ length: length - content.length - 3 }, () => fill),
  ...[end, ...content],
]
/** The shortest padding there may be, and the rest of the block behind the content. */
const early = (length: number, content: Bytes, padding = 8): Bytes => {
  const start = [0, 1, ...Array.from({ length: padding }, () => 0xff), 0, ...content]
  return [...start, ...Array.from({ length: length - start.length }, (_, index) => index & 0xff)]
}

/** Each of these ways to write an element, in place of each of the four elements in turn. */
function inEachPlace(ways: Readonly<Record<string, typeof der>>): Readonly<Record<string, Change>> {
  const places = ['outer', 'algorithm', 'oid', 'digest'] as const
  const entries = places.flatMap((place) =>
    Object.entries(ways).map(([name, write]): [string, Change] => [
      `${place}: ${name}`,
      ({ digest, length }) => block(length, info({ digest, wrap: { [place]: write } })),
    ]),
  )
  return Object.fromEntries(entries)
}

const changes: Readonly<Record<string, Change>> = {
  'no DigestInfo, only the digest': ({ digest, length }) => block(length, digest),
  'no digest': ({ length }) => block(length, info({ digest: [] })),
  'parameters left out': ({ digest, length }) => block(length, info({ digest, parameters: [] })),
  'a boolean for parameters': ({ digest, length }) => block(length, info({ digest, parameters: [0x01, 0x01, 0xff] })),
  'NULL with a content': ({ digest, length }) => block(length, info({ digest, parameters: [0x05, 0x01, 0x00] })),
  'NULL twice': ({ digest, length }) => block(length, info({ digest, parameters: [...NULL, ...NULL] })),
  'NULL with a length in two bytes': ({ digest, length }) =>
    block(length, info({ digest, parameters: [0x05, 0x81, 0x00] })),
  'NULL of endless length': ({ digest, length }) => block(length, info({ digest, parameters: [0x05, 0x80, 0, 0] })),
  'garbage in the parameters': ({ digest, length }) =>
    block(length, info({ digest, parameters: [0x04, 0x60, ...Array.from({ length: 0x60 }, () => 7)] })),
  ...inEachPlace({
    'length in two bytes': long,
    'length in three bytes': longer,
    'another tag': (tag, content) => der(tag ^ 0x10, content),
    'a length one too many': (tag, content) => [tag, content.length + 1, ...content],
    'a length one too few': (tag, content) => [tag, content.length - 1, ...content],
    'two bytes more': (tag, content) => der(tag, [...content, 0x05, 0x00]),
  }),
  ...Object.fromEntries(
    (['sha384', 'sha512', 'sha224'] as const).map((name) => [
      `the name of ${name} over SHA-256`,
      (({ digest, length }) => block(length, info({ digest, oid: hashOid(OID[name]) }))) as Change,
    ]),
  ),
  'the name of SHA-1': ({ digest, length }) => block(length, info({ digest, oid: [0x2b, 0x0e, 0x03, 0x02, 0x1a] })),
  'the name of MD5': ({ digest, length }) =>
    block(length, info({ digest, oid: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05] })),
  'no name of a hash': ({ digest, length }) => block(length, info({ digest, oid: [] })),
  'the last byte of the digest missing': ({ digest, length }) => block(length, info({ digest: digest.slice(0, -1) })),
  'one byte more in the digest': ({ digest, length }) => block(length, info({ digest: [...digest, 0] })),
  'a digest of zeros': ({ digest, length }) => block(length, info({ digest: digest.map(() => 0) })),
  'the digest backwards': ({ digest, length }) => block(length, info({ digest: digest.toReversed() })),
  'one bit of the digest changed': ({ digest, length }) =>
    block(length, info({ digest: [digest[0]! ^ 1, ...digest.slice(1)] })),
  'the digest of the digest': ({ digest, length }) =>
    block(length, info({ digest: [...createHash('sha256').update(Uint8Array.from(digest)).digest()] })),
  'block type 0': ({ digestInfo, length }) => block(length, digestInfo, { type: 0, fill: 0 }),
  'block type 0 filled as type 1': ({ digestInfo, length }) => block(length, digestInfo, { type: 0 }),
  'block type 2': ({ digestInfo, length }) => block(length, digestInfo, { type: 2 }),
  'block type 2 with random padding': ({ digestInfo, length }) => block(length, digestInfo, { type: 2, fill: 0xa7 }),
  'block type 3': ({ digestInfo, length }) => block(length, digestInfo, { type: 3 }),
  'a first byte of 1': ({ digestInfo, length }) => [1, ...block(length, digestInfo).slice(1)],
  'padding of zeros': ({ digestInfo, length }) => block(length, digestInfo, { fill: 0 }),
  'padding of 0xFE': ({ digestInfo, length }) => block(length, digestInfo, { fill: 0xfe }),
  'one byte of the padding changed': ({ digestInfo, length }) => replaced(block(length, digestInfo), 100, 0xfe),
  'the first byte of the padding changed': ({ digestInfo, length }) => replaced(block(length, digestInfo), 2, 0x7f),
  'the last byte of the padding changed': ({ digestInfo, length }) =>
    replaced(block(length, digestInfo), length - digestInfo.length - 2, 0xfe),
  'no zero behind the padding': ({ digestInfo, length }) => block(length, digestInfo, { end: 0xff }),
  'a zero in the middle of the padding': ({ digestInfo, length }) => replaced(block(length, digestInfo), 60, 0),
  'two zeros behind the padding': ({ digestInfo, length }) => block(length, [0, ...digestInfo]),
  'eight bytes of padding, garbage behind the digest': ({ digestInfo, length }) => early(length, digestInfo),
  'no padding, garbage behind the digest': ({ digestInfo, length }) => early(length, digestInfo, 0),
  'garbage behind the digest, counted as its own': ({ digest, length }) =>
    early(length, info({ digest: [...digest, ...digest] })),
  'one byte behind the digest': ({ digestInfo, length }) => block(length, [...digestInfo, 0]),
  'shifted to the left': ({ digestInfo, length }) => [...block(length, digestInfo).slice(1), 0],
  'nothing but zeros': ({ length }) => Array.from({ length }, () => 0),
  'the number one': ({ length }) => [...Array.from({ length: length - 1 }, () => 0), 1],
}

const replaced = (bytes: Bytes, at: number, byte: number): Bytes => bytes.with(at, byte)

/** Name → signature over the text, by the private key. */
export function signaturesOfOddPadding(
  signed: string,
  privateKeyPem: string,
  length: number,
): readonly (readonly [name: string, signature: Uint8Array])[] {
  const digest = [...createHash('sha256').update(signed).digest()]
  const of = { digest, digestInfo: info({ digest }), length }
  return Object.entries(changes).map(([name, change]) => [name, raised(change(of), privateKeyPem)])
}

/** The honest block by the same tools: what shows that the others are refused for what was changed in them. */
export function plainSignature(signed: string, privateKeyPem: string, length: number): Uint8Array {
  const digest = [...createHash('sha256').update(signed).digest()]
  return raised(block(length, info({ digest })), privateKeyPem)
}

/** The private operation of RSA on a whole block, with no padding of its own. */
const raised = (bytes: Bytes, key: string): Uint8Array =>
  privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, Uint8Array.from(bytes))
