const GENERATOR = 65_537

const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
]

/**
 * Whether an RSA modulus bears the mark of the key generator of CVE-2017-15361, whose keys can be factored: its primes
 * are powers of 65537 modulo a product of small primes, and so is the modulus. By accident: one in 2^27 or less.
 */
export function hasRocaMark(modulus: bigint): boolean {
  return PRIMES.every((prime) => powers(GENERATOR % prime, prime).has(Number(modulus % BigInt(prime))))
}

function powers(base: number, prime: number): ReadonlySet<number> {
  const seen = new Set<number>()
  for (let power = 1; !seen.has(power); power = (power * base) % prime) seen.add(power)
  return seen
}
