/** What this machine can do at best, measured between the scenarios: the same noise is in both. */
import { Load } from '../load/start-load.ts'
import type { Sample } from '../scenarios/scenario.ts'
import { Server } from '../servers/start-server.ts'
import { fsyncsPerSecond, rowsPerSecond } from './disk.ts'
import { verificationsPerSecond } from './tokens.ts'

export const machineFigures = [
  { name: 'echo', title: '`ws` echo of 200 bytes, 100 connections × 16: round trips/s' },
  { name: 'fsync', title: 'append of 4 KiB and fsync/s' },
  { name: 'rows1', title: 'SQLite, synchronous=FULL, 1 row in a commit: rows/s' },
  { name: 'rows100', title: 'SQLite, synchronous=FULL, 100 rows in a commit: rows/s' },
  { name: 'rows1000', title: 'SQLite, synchronous=FULL, 1,000 rows in a commit: rows/s' },
  { name: 'verifyCrypto', title: 'RS256 verifications/s, node:crypto' },
  { name: 'verifyJose', title: 'RS256 verifications/s, jose' },
] as const

export async function measureMachine({ isQuick }: { readonly isQuick: boolean }): Promise<Sample> {
  const ms = isQuick ? 50 : 1_000
  const { crypto, jose } = await verificationsPerSecond(ms)
  return {
    echo: await echoesPerSecond(ms),
    fsync: fsyncsPerSecond(ms),
    rows1: rowsPerSecond(1, ms),
    rows100: rowsPerSecond(100, ms),
    rows1000: rowsPerSecond(1_000, ms),
    verifyCrypto: crypto,
    verifyJose: jose,
  }
}

async function echoesPerSecond(ms: number): Promise<number> {
  const server = await Server.start('echo')
  try {
    const load = new Load('echo', { ready: server.ready, measureMs: ms })
    return (await load.next<{ perSecond: number }>()).perSecond
  } finally {
    await server.close()
  }
}
