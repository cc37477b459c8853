import { hostname } from 'node:os'

/** A name for one more server: of this process, on this machine, this time. Up to 64 letters, digits, dots, - and _. */
export function nodeName(): string {
  const host =
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 40) || 'node'
  return `${host}-${process.pid}-${Math.floor(Math.random() * 0x1_0000_0000).toString(16)}`
}
