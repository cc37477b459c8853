/** What the kernel knows of a process, all its threads included. */
import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of the kernel's accounting, in a second. */
const TICKS = 100

/** User and system time. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

export const peakMiB = (pid: number): number => kibibytes(`/proc/${pid}/status`, 'VmHWM') / 1024
export const residentMiB = (pid: number): number => kibibytes(`/proc/${pid}/status`, 'VmRSS') / 1024

/** Proportional set size: what is shared with other processes counts by its share. Kernel buffers are not in it. */
export const proportionalKiB = (pid: number): number => kibibytes(`/proc/${pid}/smaps_rollup`, 'Pss')

export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

function kibibytes(file: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))
  return Number(match?.[1])
}

/** Of a process and all its children, those included that have ended and were waited for. */
export function familyCpuSeconds(pid: number): number {
  const family = [pid, ...childrenOf(pid)]
  const ended = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return family.reduce((sum, one) => sum + cpuSecondsOrNone(one), 0) + (Number(ended[13]) + Number(ended[14])) / TICKS
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** It may have ended since it was listed. */
function cpuSecondsOrNone(pid: number): number {
  try {
    return cpuSeconds(pid)
  } catch {
    return 0
  }
}
