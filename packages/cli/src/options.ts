import { InvalidArgumentError, Option } from 'commander'

/** Options that several commands have in common, so that they are spelt and explained the same everywhere. */

export const dataOption = () =>
  new Option('--data <folder>', 'folder that holds all data').env('PARLEY_DATA').default('.parley')

export const storeOption = () =>
  new Option('--store <url>', 'keep everything in PostgreSQL instead: postgres://user@host/database').env(
    'PARLEY_STORE',
  )

export const busOption = () =>
  new Option(
    '--bus <url>',
    'join the servers on one PostgreSQL: nats://user:password@host:4222, more hosts after commas',
  ).env('PARLEY_BUS')

/** The options that say where everything is kept. */
export interface PlaceOptions {
  readonly data: string
  readonly store?: string
}

/** Where that is: an address counts before a folder. */
export const placeOf = ({ data, store }: PlaceOptions) => (store === undefined ? { dataFolder: data } : { store })

export const jsonOption = () => new Option('--json', 'print one line of JSON instead of text')

export function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

export function parseMaxParticipants(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 2 && Number(text) <= 5_000) return Number(text)
  throw new InvalidArgumentError('A conversation has room for 2 to 5000 participants.')
}

/** For options that may be given several times. */
export const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value]

export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('This is a number from 1.')
}
