import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

type Derive = (password: string, salt: Buffer, length: number, options: ScryptOptions) => Promise<Buffer>
const derive = promisify(scrypt) as Derive

/** What one guess costs, as scrypt's N: OWASP's advice, and something for accounts whose password everyone knows. */
export const passwordCost = { production: 2 ** 15, development: 2 ** 10 } as const

/** A salted hash with its cost in front, so that the cost can be raised later. */
export async function hashPassword(password: string, cost: number, salt = randomBytes(16)): Promise<string> {
  // One person's two keyboards may write one letter in two ways: NFKC.
  const hash = await derive(password.normalize('NFKC'), salt, 32, { N: cost, r: 8, p: 3, maxmem: 2 ** 27 })
  return `${cost}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

export async function isPassword(password: string, stored: string): Promise<boolean> {
  const [cost, salt = ''] = stored.split('$')
  const again = await hashPassword(password, Number(cost), Buffer.from(salt, 'base64url'))
  return timingSafeEqual(Buffer.from(again), Buffer.from(stored))
}
