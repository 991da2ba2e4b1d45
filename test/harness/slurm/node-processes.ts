import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'

import { filesOf } from './configuration.js'

/** A process as /proc shows it. */
interface Process {
  readonly pid: number
  readonly parentPid: number
  readonly command: string
}

/**
 * The processes of a node's jobs: each job's slurmstepd, which slurmd leaves to itself, everything below one, and what a job
 * left behind that says in its environment where it belongs.
 *
 * @param dir of the cluster.
 */
export function jobProcesses(dir: string, node: string): number[] {
  const all = allProcesses()
  const roots = all.filter((one) => isStepOf(one, dir, node) || isMarked(one, dir, node))
  const found = new Set(roots.map(({ pid }) => pid))
  for (let before = 0; before !== found.size;) {
    before = found.size
    for (const { pid, parentPid } of all) if (found.has(parentPid)) found.add(pid)
  }
  return [...found]
}

/** Whether there is such a process, and it has not ended: one that nobody has asked after yet still has its number. */
export function isRunning(pid: number): boolean {
  return allProcesses().some((one) => one.pid === pid)
}

/** Every process that belongs to the cluster, its daemons and the jobs of all nodes. */
export function clusterProcesses(dir: string): number[] {
  const { conf, mungeSocket } = filesOf(dir)
  return allProcesses()
    .filter(
      ({ pid }) =>
        variablesOf(pid).includes(`SLURM_CONF=${conf}`) ||
        read(`/proc/${pid}/cmdline`).includes(`--socket=${mungeSocket}`),
    )
    .map(({ pid }) => pid)
}

/** What a job itself runs, on whichever node: not the step that watches over it. */
export function processesOfJob(dir: string, jobNumber: string): number[] {
  return allProcesses()
    .filter(({ pid }) => hasVariables(pid, `SLURM_CONF=${filesOf(dir).conf}`, `SLURM_JOB_ID=${jobNumber}`))
    .map(({ pid }) => pid)
}

/** Ends whatever `find` finds, also what is started meanwhile; resolves when nothing of it is left. */
export async function killAll(find: () => readonly number[]): Promise<void> {
  for (let pids = find(); pids.length > 0; pids = find()) {
    signalAll(pids, 'SIGKILL')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Sends a signal to those that are still there. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended by itself.
    }
  }
}

function allProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      // pid (command) state parent …, where the command may hold anything.
      const [, command = '', state = '', parent = ''] =
        /^\d+ \((.*)\) (\S) (\d+)/s.exec(read(path.join('/proc', name, 'stat'))) ?? []
      return state === '' || 'ZX'.includes(state) ? [] : [{ pid: Number(name), parentPid: Number(parent), command }]
    })
}

/** slurmstepd listens on a socket in the node's spool folder. */
function isStepOf({ pid, command }: Process, dir: string, node: string): boolean {
  if (command !== 'slurmstepd') return false
  const inodes = new Set(linksOf(`/proc/${pid}/fd`).flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.slice(1) ?? []))
  const spool = `${filesOf(dir).spool(node)}/`
  return read('/proc/net/unix')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some((words) => inodes.has(words[6] ?? '') && words[7]?.startsWith(spool))
}

function isMarked({ pid }: Process, dir: string, node: string): boolean {
  return hasVariables(pid, `SLURM_CONF=${filesOf(dir).conf}`, `SLURMD_NODENAME=${node}`)
}

function hasVariables(pid: number, ...wanted: readonly string[]): boolean {
  const variables = variablesOf(pid)
  return wanted.every((one) => variables.includes(one))
}

function variablesOf(pid: number): string[] {
  return read(`/proc/${pid}/environ`).split('\0')
}

function linksOf(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((name) => {
      try {
        return readlinkSync(path.join(folder, name))
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}

/** The file's text; nothing when the process is gone meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
