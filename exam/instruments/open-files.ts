import { readdirSync, readlinkSync } from 'node:fs'

/** Files that a process has open, by what they are. */
export function openFiles(pid: number): { readonly all: number; readonly sockets: number } {
  const folder = `/proc/${pid}/fd`
  const links = readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)]
    } catch {
      // Closed between the two looks.
      return []
    }
  })
  return { all: links.length, sockets: links.filter((link) => link.startsWith('socket:')).length }
}
