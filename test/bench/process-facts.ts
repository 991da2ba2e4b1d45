import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

import type { Cluster } from 'costate'

import { meshDirOf, readAddress, rssBytesOf } from '#libs/lifecycle'

/** The resident memory of a process, in bytes. */
export async function residentBytesOf(pid: number): Promise<number> {
  const bytes = await rssBytesOf(pid)
  if (bytes === undefined) throw new Error(`process ${pid} ended before its memory was measured`)
  return bytes
}

/** The process that started this one. */
export async function parentOf(pid: number): Promise<number> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=', '-p', String(pid)])
    return Number(stdout)
  }
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1])
}

/** The scheduler's process of a cluster on this machine. */
export async function schedulerOf({ name }: Cluster): Promise<number> {
  const address = await readAddress(meshDirOf(name), 'scheduler')
  if (address === undefined) throw new Error(`the cluster ${name} has no scheduler`)
  return address.pid
}
