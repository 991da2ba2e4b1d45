import { readdir, readFile } from 'node:fs/promises'

import { rssBytesOf } from '#libs/lifecycle'

/** What a process takes of the machine. */
export interface Footprint {
  readonly pid: number
  readonly descriptors: number
  readonly rssBytes: number
}

/** How much more than before a process may take: a heap that was used once is not given back. */
const moreDescriptors = 8
const moreBytes = 96 * 2 ** 20

export async function footprintOf(pid: number): Promise<Footprint> {
  const [descriptors, rssBytes] = await Promise.all([readdir(`/proc/${pid}/fd`), rssBytesOf(pid)])
  return { pid, descriptors: descriptors.length, rssBytes: rssBytes ?? 0 }
}

/** What a process has kept. */
export function compareFootprints(name: string, before: Footprint, after: Footprint): string[] {
  const complaints: string[] = []
  if (after.descriptors > before.descriptors + moreDescriptors)
    complaints.push(`${name} has ${after.descriptors} open files, and had ${before.descriptors}`)
  if (after.rssBytes > before.rssBytes + moreBytes)
    complaints.push(`${name} takes ${megabytes(after.rssBytes)} MB, and took ${megabytes(before.rssBytes)}`)
  return complaints
}

export function describeFootprint({ descriptors, rssBytes }: Footprint): string {
  return `${descriptors} files, ${megabytes(rssBytes)} MB`
}

/** The processes of a mesh that run: their environment names its run folder. */
export async function processesOf(runDir: string): Promise<number[]> {
  const names = await readdir('/proc')
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const variables = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      return variables.split('\0').includes(`COSTATE_RUN_DIR=${runDir}`) ? [pid] : []
    }),
  )
  return found.flat()
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6)
}
