/** Verifications of a token signed with RS256, one after the other on one core. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'

export async function verificationsPerSecond(ms: number): Promise<{ readonly crypto: number; readonly jose: number }> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const claims = { iss: 'layer:///providers/x', prn: 'ada', iat: 1, exp: 2, nce: 'n'.repeat(51) }
  const token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .sign(privateKey)
  const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }))
  const byCrypto = await perSecond(ms, () => {
    const [header, payload, signature] = token.split('.') as [string, string, string]
    const content = Buffer.from(`${header}.${payload}`)
    if (!verify('sha256', content, key, Buffer.from(signature, 'base64url'))) throw new Error('A good token failed.')
    JSON.parse(Buffer.from(payload, 'base64url').toString())
  })
  const byJose = await perSecond(ms, () => compactVerify(token, key, { algorithms: ['RS256'] }))
  return { crypto: byCrypto, jose: byJose }
}

async function perSecond(ms: number, work: () => unknown): Promise<number> {
  const from = performance.now()
  let count = 0
  for (; performance.now() - from < ms; count++) await work()
  return (count / (performance.now() - from)) * 1000
}
