import type { Device } from './device.ts'
import type { ServerDisk } from './server-disk.ts'
import type { ServerMachine } from './server-machine.ts'

/** Breaks one thing in a world, to see whether it is noticed. */
export type Mutation = (world: {
  readonly disk: ServerDisk
  readonly server: ServerMachine
  readonly devices: readonly Device[]
}) => void
