import { readFileSync } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'

/** Then host, process id, the process's birth, and six characters of mkdtemp's. */
export const spillFolderPrefix = 'costate-spill-'
const namePattern = /^(.+)-(\d+)-(\d+)-[A-Za-z0-9]{6}$/

/** When a process began, in ticks since the system did, as systems use the ids of processes again; 0 where nobody says. */
export function birthOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program comes second, in brackets, and may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
  } catch {
    return '0'
  }
}

/** Removes the folders of this user's processes on this host that are gone. */
export async function sweepSpillFolders(parent: string): Promise<void> {
  const names = await readdir(parent)
  const left = names.filter(
    (name) => name.startsWith(spillFolderPrefix) && isLeft(name.slice(spillFolderPrefix.length)),
  )
  await Promise.all(left.map((name) => removeOwn(path.join(parent, name)).catch(() => undefined)))
}

function isLeft(rest: string): boolean {
  const [, host, pid, birth] = namePattern.exec(rest) ?? []
  return host === hostname() && !isAlive(Number(pid), birth ?? '')
}

function isAlive(pid: number, birth: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return birth === birthOf(pid)
}

async function removeOwn(folder: string): Promise<void> {
  const found = await lstat(folder)
  if (found.isDirectory() && found.uid === process.getuid?.()) await rm(folder, { recursive: true, force: true })
}
