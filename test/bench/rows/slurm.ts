import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

import type { TaskFuture } from 'costate'

import { logCommands } from '../../harness/slurm/command-log.js'
import { FakeSlurm } from '../../harness/slurm/fake/fake-slurm.js'
import { isAlive } from '../../harness/slurm/job-table.js'
import { installSlurm } from '../../harness/slurm/packages.js'
import { type SlurmLab, startSlurmLab } from '../../harness/slurm/slurm-lab.js'
import { smallPool, type SlurmMesh, startSlurmMesh } from '../../harness/slurm/slurm-mesh.js'
import { type Tasks, tasksSource } from '../../harness/slurm/user-tasks.js'
import { compare } from '../contest.js'
import type { Row } from '../row.js'
import { atMost } from '../target.js'

const intervals = 20
const usualPollMs = 10_000
const patience = { timeout: '120s' }

/** A pool of jobs that nobody waits for in vain: the fake runs none. */
const patientPool = { registerTimeout: '1h', pendingTimeout: '1h' }

/** From a submit to a mesh at rest until sbatch is called. */
const demandToSbatch: Row = {
  name: 'slurm-demand-to-sbatch',
  unit: 's',
  target: atMost(1, 's'),
  measure: async (context) => {
    await using fake = await FakeSlurm.start()
    const pools = [smallPool({ ...patientPool, maxWorkers: 1 })]
    await using mesh = await startSlurmMesh({ env: fake.env, pools, flags: ['--poll-interval', `${usualPollMs}ms`] })
    const tasks = await mesh.importModule<Tasks>('tasks.mjs', tasksSource)
    const ours = async (): Promise<number> => {
      // At rest: nothing is wanted, nothing is there, and the last submit is more than an interval ago.
      await pause(1.2 * usualPollMs)
      assert.deepEqual(fake.jobs.all.filter(isAlive), [])
      const called = fake.nextCall('sbatch')
      const startMs = Date.now()
      const future = mesh.cluster.submit(tasks.square, 1)
      const { atMs } = await called
      await future.cancel()
      await future.result().catch(() => undefined)
      while (fake.jobs.all.some(isAlive)) await fake.nextCall('scancel')
      return (atMs - startMs) / 1_000
    }
    const measured = await compare({ warmUps: 0, ours, theirs: undefined, repeats: 3 }, context)
    return { cases: [measured], note: 'polls every 10 s; the start of the command included' }
  },
}

/** From the death of a worker until its replacement is submitted: the worst of several. */
const replace: Row = {
  name: 'slurm-replace',
  unit: 'poll intervals',
  target: atMost(1.5, 'poll intervals'),
  measure: async (context) => {
    const pollMs = 2_000
    await using lab = await startLab({ nodes: 2 })
    const log = await logCommands(lab)
    const pools = [smallPool({ minWorkers: 2, maxWorkers: 2 })]
    await using mesh = await startSlurmMesh({ env: log.env, pools, flags: ['--poll-interval', `${pollMs}ms`] })
    await mesh.cluster.waitForWorkers(2, patience)
    const ours = async (): Promise<number> => {
      let worst = 0
      for (const shareOfInterval of [0, 0.3, 0.6, 0.9]) {
        await pause((2 + shareOfInterval) * pollMs)
        const before = log.calls('sbatch').length
        const [victim] = (await lab.jobs()).filter(isAlive)
        const startMs = Date.now()
        await lab.killJob(victim!)
        await log.callCount('sbatch', before + 1)
        worst = Math.max(worst, (log.calls('sbatch')[before]!.atMs - startMs) / pollMs)
        while ((await mesh.cluster.workers()).length < 2) await pause(100)
      }
      return worst
    }
    return { cases: [await compare({ warmUps: 0, ours, theirs: undefined, repeats: 1 }, context)] }
  },
}

/** What the controller is asked between two looks at the queue, at rest. */
const controllerCalls: Row = {
  name: 'slurm-controller-calls',
  unit: 'calls per poll interval',
  target: atMost(2, 'calls per poll interval'),
  measure: async (context) => {
    const among = async (jobs: number) => {
      await using fake = await FakeSlurm.start()
      await using _mesh = await startWithJobs(fake, jobs)
      const ours = async (): Promise<number> => {
        const [calls, looks] = [fake.calls.length, fake.callsOf('squeue').length]
        await fake.callCount('squeue', looks + intervals)
        return (fake.calls.length - calls) / intervals
      }
      return { name: `${jobs} jobs`, ...(await compare({ warmUps: 0, ours, theirs: undefined, repeats: 1 }, context)) }
    }
    return { cases: [await among(1), await among(500)] }
  },
}

/** Processor time of the provisioner for each look at 500 jobs: the reading of the list, the decision, and all else it does. */
const reconcile500: Row = {
  name: 'slurm-reconcile-500',
  unit: 'ms',
  target: atMost(20, 'ms'),
  measure: async (context) => {
    await using fake = await FakeSlurm.start()
    await using mesh = await startWithJobs(fake, 500)
    const { pid } = mesh.provisioner
    const ours = async (): Promise<number> => {
      await fake.callCount('squeue', fake.callsOf('squeue').length + 1)
      const startMs = await processorMs(pid)
      await fake.callCount('squeue', fake.callsOf('squeue').length + intervals)
      return ((await processorMs(pid)) - startMs) / intervals
    }
    return { cases: [await compare({ warmUps: 1, ours, theirs: undefined, repeats: 3 }, context)] }
  },
}

const studyTasks = 200
const stepsPerTask = 75

/** A study of 200 tasks on four nodes, of which one loses its power, while time limits come: what is not as it should be. */
const study: Row = {
  name: 'slurm-study',
  unit: 'tasks',
  target: atMost(0, 'tasks'),
  measure: async (context) => {
    const ours = async (): Promise<number> => {
      // By the real clock: workers must have the time that they are told they have.
      await using lab = await startLab({ nodes: 4, cpusPerNode: 1, nodeTimeoutS: 3, speed: 1 })
      const pools = [smallPool({ maxWorkers: 4, walltime: '1min', signalLead: '30s' })]
      await using mesh = await startSlurmMesh({ env: lab.env, pools })
      const tasks = await mesh.importModule<Tasks>('tasks.mjs', tasksSource)
      const inputs = Array.from({ length: studyTasks }, (_, k) => k)
      // Each may be charged nothing: it has no retry.
      const futures = mesh.cluster.with({ retries: 0 }).map(
        tasks.slowSquare,
        inputs,
        inputs.map(() => stepsPerTask),
      )
      await futures[Math.floor(studyTasks / 8)]!.result()
      const [running] = (await lab.jobs()).filter(({ state }) => state === 'RUNNING')
      await lab.node(running!.node).powerOff()
      context.say(`${running!.node} lost its power`)
      const wrong = await countWrong(futures, inputs)
      const jobs = await lab.jobs()
      context.say(`jobs ended ${jobs.map(({ state, restarts }) => `${state} after ${restarts} restarts`).join(', ')}`)
      // The job of the lost node keeps its number: what is there beyond the first four took the place of one whose time was over.
      assert.ok(jobs.length > 4, 'no time limit came while the study ran')
      assert.ok(
        jobs.some(({ restarts }) => restarts > 0),
        'the lost node had no job',
      )
      return wrong
    }
    return { cases: [await compare({ warmUps: 0, ours, theirs: undefined, repeats: 1 }, context)] }
  },
}

/** Results that are wrong, and tasks that failed, because they were lost or charged for what was not their fault. */
async function countWrong(futures: readonly TaskFuture<number>[], inputs: readonly number[]): Promise<number> {
  const ends = await Promise.allSettled(futures.map((future) => future.result()))
  return ends.filter((end, k) => end.status === 'rejected' || end.value !== inputs[k]! ** 2).length
}

/** A pool of so many jobs, each of which runs as far as the fake is concerned. */
async function startWithJobs(fake: FakeSlurm, jobs: number): Promise<SlurmMesh> {
  const limits = { minWorkers: jobs, maxWorkers: jobs, maxPending: jobs, maxJobs: jobs }
  const flags = ['--poll-interval', '500ms']
  const mesh = await startSlurmMesh({ env: fake.env, pools: [smallPool({ ...patientPool, ...limits })], flags })
  while (fake.jobs.all.length < jobs) await fake.nextCall('sbatch')
  for (const { id } of fake.jobs.all) fake.jobs.start(id)
  await fake.callCount('squeue', fake.callsOf('squeue').length + 5)
  assert.equal(fake.jobs.all.length, jobs)
  return mesh
}

async function startLab(shape: Parameters<typeof startSlurmLab>[0]): Promise<SlurmLab> {
  const missing = await installSlurm()
  if (missing !== undefined) throw new Error(`there is no SLURM here: ${missing}`)
  return await startSlurmLab(shape)
}

// What /proc counts processor time in; the kernel's interface fixes it.
const tickMs = 10

/** Processor time that a process has taken, its threads' too. */
async function processorMs(pid: number): Promise<number> {
  const words = (await readFile(`/proc/${pid}/stat`, 'latin1')).replace(/^.*\) /s, '').split(' ')
  return (Number(words[11]) + Number(words[12])) * tickMs
}

export const slurmRows: readonly Row[] = [demandToSbatch, replace, controllerCalls, reconcile500, study]
