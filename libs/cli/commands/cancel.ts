import { randomUUID } from 'node:crypto'

import type { Command } from 'commander'

import type { SchedulerServiceDefinition } from '#libs/proto'
import type { RpcClient } from '#libs/rpc'

import { answerTimeoutMs, askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { report } from '../report.js'
import { nameOfJobState, nameOfTaskState } from '../states.js'
import { isTaskId } from '../task-name.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
  readonly reason: string
}

/** What a cancel came to. */
interface Cancelled {
  readonly jobId: string
  readonly taskId?: string
  /** How far the job or task is now. */
  readonly state: string
  /** How many tasks it cancelled, those that depended on a cancelled one included. */
  readonly cancelled: number
}

type Scheduler = RpcClient<typeof SchedulerServiceDefinition>
const call = { deadline: answerTimeoutMs }

/** `costate cancel`: stops a job or one of its tasks. */
export function addCancel(program: Command, terminal: Terminal): void {
  program
    .command('cancel')
    .description('cancel what is not settled of a job, or one task and what depends on it; what runs is stopped')
    .argument('<job|task>', 'the id of the job, or of the task: job, slash, index')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--reason <text>', 'why, for those who look into it later', 'costate cancel was run')
    .action(async (id: string, { mesh, reason }: Options, command: Command) => {
      const found = await askScheduler(await chooseMesh(mesh), (scheduler) =>
        isTaskId(id) ? cancelTask(scheduler, id, reason) : cancelJob(scheduler, id, reason, []),
      )
      report(terminal, command, found, textOf)
    })
}

async function cancelJob(
  scheduler: Scheduler,
  id: string,
  reason: string,
  indices: readonly number[],
): Promise<Cancelled> {
  const { job: before } = await scheduler.getJob({ jobId: id }, call)
  const request = { jobId: id, requestId: randomUUID(), reason, indices: [...indices] }
  const { job } = await scheduler.cancelJob(request, call)
  if (job === undefined) throw new Error('the scheduler answered without a job')
  const cancelled = (job.counts?.cancelled ?? 0) - (before?.counts?.cancelled ?? 0)
  return { jobId: job.jobId, state: nameOfJobState(job.state), cancelled }
}

async function cancelTask(scheduler: Scheduler, id: string, reason: string): Promise<Cancelled> {
  const slash = id.lastIndexOf('/')
  const { jobId, cancelled } = await cancelJob(scheduler, id.slice(0, slash), reason, [Number(id.slice(slash + 1))])
  const { task } = await scheduler.getTask({ taskId: id }, call)
  if (task === undefined) throw new Error('the scheduler answered without a task')
  return { jobId, taskId: task.taskId, state: nameOfTaskState(task.state), cancelled }
}

function textOf({ jobId, taskId, state, cancelled }: Cancelled): string {
  const what = taskId === undefined ? `job ${jobId}` : `task ${taskId}`
  if (cancelled === 0) return `${what} was settled before (${state}): nothing is left to cancel`
  if (taskId === undefined) return `${what} is cancelled: ${cancelled} of its tasks had not ended`
  const others = cancelled - 1
  return `${what} is cancelled${others > 0 ? `, and ${others} that depended on it` : ''}`
}
