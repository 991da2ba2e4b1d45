import { execFile } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

/** Remembers a process of the mesh in `<meshDir>/pids`, so that others can end the mesh when its maker is gone. */
export function recordMeshProcess(meshDir: string, pid: number): void {
  appendFileSync(path.join(meshDir, 'pids'), `${pid}\n`, { mode: 0o600 })
}

/**
 * The recorded processes of a mesh that still run. A number alone proves nothing, because systems use them again: the
 * command line must name the mesh folder.
 */
export async function findMeshProcesses(meshDir: string): Promise<number[]> {
  const recorded = await readFile(path.join(meshDir, 'pids'), 'utf8').catch(() => '')
  const pids = [...new Set(recorded.split('\n').map(Number))].filter((pid) => Number.isInteger(pid) && pid > 1)
  const commands = await Promise.all(pids.map(commandOf))
  return pids.filter((_, index) => `${commands[index] ?? ''} `.includes(`--mesh-dir ${meshDir} `))
}

/** The command line, joined by spaces; nothing when the process is gone or only waits for its parent to notice its end. */
async function commandOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform !== 'linux') {
      return (await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)])).stdout.trim()
    }
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim()
  } catch {
    return undefined
  }
}
