import { countOf } from './apply.js'
import { findObject, isAvailable } from './lookup.js'
import type { State, Task, TaskCounts } from './state.js'

/** What must be true after every event. Throws on what is not; called by tests and always by the simulator. */
export function checkInvariants(state: State): void {
  const queued = new Set<Task>()
  for (const { task, status } of state.queue.values()) {
    if (task.status !== status) continue
    check(!queued.has(task), task, 'is queued twice')
    queued.add(task)
  }
  for (const job of state.jobs.values()) {
    const counts: TaskCounts = { waiting: 0, queued: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }
    for (const task of job.tasks) {
      counts[countOf(task)]++
      checkTask(state, task, queued)
    }
    for (const key of Object.keys(counts) as (keyof TaskCounts)[]) {
      if (counts[key] !== job.counts[key]) {
        throw new Error(`job ${job.spec.jobId} counts ${job.counts[key]} ${key}, but has ${counts[key]}`)
      }
    }
    const open = counts.waiting + counts.queued + counts.running
    if ((open === 0) !== (job.settledAtMs !== undefined)) throw new Error(`job ${job.spec.jobId} is settled wrongly`)
  }
  for (const worker of state.workers.values()) {
    for (const objectId of worker.objects) {
      const holders = findObject(state, objectId)?.holders
      if (!holders?.has(worker.profile.workerId)) throw new Error(`${worker.profile.workerId} holds stray ${objectId}`)
    }
  }
}

function checkTask(state: State, task: Task, queued: ReadonlySet<Task>): void {
  const { status } = task
  switch (status.kind) {
    case 'waiting': {
      const inputs = [...new Set(task.spec.dependencies)].map((id) => findObject(state, id))
      const missing = inputs.filter((entity) => entity === undefined || !isAvailable(entity)).length
      check(missing === status.missing, task, `waits for ${status.missing} inputs, but ${missing} are missing`)
      check(missing > 0, task, 'waits for nothing')
      return
    }
    case 'queued':
      check(queued.has(task), task, 'is queued, but not in the queue')
      return
    case 'assigned':
    case 'running':
      check(
        state.workers.get(status.workerId)?.tasks.has(task) === true,
        task,
        `is on ${status.workerId}, which has it not`,
      )
      return
    case 'settled':
      check(![...state.workers.values()].some(({ tasks }) => tasks.has(task)), task, 'is settled, but a worker has it')
      return
    default:
      status satisfies never
  }
}

function check(holds: boolean, task: Task, what: string): void {
  if (!holds) throw new Error(`task ${task.job.spec.jobId}/${task.index} ${what}`)
}
