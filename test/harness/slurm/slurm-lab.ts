import { randomBytes } from 'node:crypto'
import { existsSync, watch } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { type ProgramEnd, runToEnd } from '../program.js'
import { endAbandonedLabs, labPrefix, ownerFile } from './abandoned.js'
import { type ClusterShape, completeShape, filesOf, nodeNames, renderConfiguration } from './configuration.js'
import { Daemon } from './daemon.js'
import { type JobRow, parseJobs, queueArgs } from './job-table.js'
import { LabController } from './lab-controller.js'
import { LabNode } from './lab-node.js'
import { clusterProcesses, killAll, processesOfJob } from './node-processes.js'
import { findFakeClock, findProgram } from './packages.js'
import { holdPorts } from './ports.js'

/** munged, without which nobody is believed. */
export interface LabMunge {
  start(): Promise<void>
  kill(): Promise<void>
}

/** A real SLURM on this machine: a controller, nodes, and whoever tells them apart from others. */
export interface SlurmLab extends AsyncDisposable {
  /** Everything of the cluster lies below it. */
  readonly dir: string
  /** What sbatch, squeue and scancel need in their environment to mean this cluster. */
  readonly env: Readonly<Record<string, string>>
  readonly controller: LabController
  readonly munge: LabMunge
  readonly nodes: readonly LabNode[]
  /** @throws Error for a name that no node has. */
  node(name: string): LabNode
  /** Runs a command of SLURM to its end. */
  run(command: string, ...args: readonly string[]): Promise<ProgramEnd>
  /** Submits a script. @returns the job's id. @throws Error with what sbatch said. */
  submit(script: string, ...args: readonly string[]): Promise<string>
  /** Every job that the controller knows, the finished ones of the last minute too, one row for each task of an array. */
  jobs(): Promise<JobRow[]>
  /** Ends what a job runs, at once, on whichever node: SLURM did not ask for it. */
  killJob(job: JobRow): Promise<void>
  /** Ends every process of the cluster, jobs too, and removes its folder. */
  close(): Promise<void>
}

// Unix sockets below the folder allow a hundred characters.
const longestDir = 60

/** Starts a cluster in a folder of its own. `installSlurm` must have said that it can be. */
export async function startSlurmLab(given: ClusterShape = {}): Promise<SlurmLab> {
  const shape = completeShape(given)
  const base = tmpdir().length < longestDir - 20 ? tmpdir() : '/tmp'
  await endAbandonedLabs(base)
  const dir = await mkdtemp(path.join(base, labPrefix))
  await writeFile(path.join(dir, ownerFile), String(process.pid))
  // Jobs may run as other users.
  await chmod(dir, 0o755)
  const ports = await holdPorts(shape.nodes + 1)
  const files = filesOf(dir)
  for (const folder of files.folders) await mkdir(folder, { mode: 0o755 })
  await chmod(path.dirname(files.mungeKey), 0o700)
  await writeFile(files.mungeKey, randomBytes(128), { mode: 0o400 })
  await writeFile(files.conf, renderConfiguration(dir, shape, ports.first, 'daemons'))
  await writeFile(files.clientConf, renderConfiguration(dir, shape, ports.first, 'clients'))

  const daemonEnv = { SLURM_CONF: files.conf }
  const env = { SLURM_CONF: files.clientConf }
  const munge = createMunge(dir)
  const [slurmctld, slurmd] = ['slurmctld', 'slurmd'].map((name) => findProgram(name) ?? name) as [string, string]
  const controller = new LabController({ dir, shape, env: daemonEnv, slurmctld, fakeClock: findFakeClock() })
  const registered = (node: string): Promise<string> => controller.registered(node)
  const nodes = nodeNames(shape).map((name) => new LabNode(name, { dir, env: daemonEnv, slurmd, registered }))
  const run = (command: string, ...args: readonly string[]): Promise<ProgramEnd> => runToEnd(command, args, { env })

  const close = async (): Promise<void> => {
    // Nodes first, so that nobody starts another job.
    await Promise.all(nodes.map((node) => node.crash()))
    await killAll(() => nodes.flatMap((node) => node.jobProcesses()))
    await controller.kill()
    await munge.kill()
    await killAll(() => clusterProcesses(dir))
    await ports.release()
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await munge.start()
    await controller.start()
    await Promise.all(nodes.map((node) => node.start()))
  } catch (error) {
    await close()
    throw error
  }
  return {
    dir,
    env,
    controller,
    munge,
    nodes,
    node: (name) => {
      const found = nodes.find((one) => one.name === name)
      if (found === undefined)
        throw new Error(`there is no ${name}; there are ${nodes.map((one) => one.name).join(', ')}`)
      return found
    },
    run,
    submit: async (script, ...args) => {
      const file = path.join(dir, `script-${randomBytes(4).toString('hex')}.sh`)
      await writeFile(file, script)
      const { code, stdout, stderr } = await run('sbatch', '--parsable', '--output=/dev/null', ...args, file)
      if (code !== 0) throw new Error(`sbatch ended with ${code ?? 'a signal'}: ${stderr}`)
      return stdout.trim()
    },
    jobs: async () => {
      const { code, stdout, stderr } = await run('squeue', ...queueArgs)
      if (code !== 0) throw new Error(`squeue ended with ${code ?? 'a signal'}: ${stderr}`)
      return parseJobs(stdout)
    },
    killJob: (job) => killAll(() => processesOfJob(dir, job.number)),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function createMunge(dir: string): LabMunge {
  const files = filesOf(dir)
  let daemon: Daemon | undefined
  return {
    start: async () => {
      if (daemon?.isRunning) return
      await rm(files.mungeSocket, { force: true })
      await rm(`${files.mungeSocket}.lock`, { force: true })
      const made = fileMade(files.mungeSocket)
      daemon = new Daemon('munged', {
        command: findProgram('munged') ?? 'munged',
        // Forced: it refuses folders that others may write, such as /tmp without a sticky bit.
        args: [
          '--foreground',
          '--force',
          `--key-file=${files.mungeKey}`,
          `--seed-file=${files.mungeSeed}`,
          `--socket=${files.mungeSocket}`,
          `--pid-file=${path.join(dir, 'run', 'munged.pid')}`,
          `--log-file=${files.log('munged-own')}`,
        ],
        logFile: files.log('munged'),
      })
      const endedEarly = daemon.exited.then(() => {
        throw new Error(`munged ended; its log is ${files.log('munged')}`)
      })
      await Promise.race([made, endedEarly])
    },
    kill: async () => {
      await daemon?.kill()
    },
  }
}

/** Resolves when the file is there. */
async function fileMade(file: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(path.dirname(file), () => look())
    const look = (): void => {
      if (!existsSync(file)) return
      watcher.close()
      resolve()
    }
    look()
  })
}
