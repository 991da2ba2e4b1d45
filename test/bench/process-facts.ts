import type { Cluster } from 'costate'

import { meshDirOf, readAddress, rssBytesOf } from '#libs/lifecycle'

/** The resident memory of a process, in bytes. */
export async function residentBytesOf(pid: number): Promise<number> {
  const bytes = await rssBytesOf(pid)
  if (bytes === undefined) throw new Error(`process ${pid} ended before its memory was measured`)
  return bytes
}

/** The scheduler's process of a cluster on this machine. */
export async function schedulerOf({ name }: Cluster): Promise<number> {
  const address = await readAddress(meshDirOf(name), 'scheduler')
  if (address === undefined) throw new Error(`the cluster ${name} has no scheduler`)
  return address.pid
}
