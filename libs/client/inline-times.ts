import type { JobTimes, TaskStage, TaskTimes } from '#libs/profile'
import type { MeshJob } from '#libs/submission'

/** When what happened to a task of this process. */
interface InlineTask {
  readonly name: string
  readonly inputs: number[]
  readonly childJobIds: string[]
  attempt: number
  /** Its turn came the first time, and the last time. */
  firstTurnAtMs: number
  turnAtMs: number
  startedAtMs: number
  endedAtMs: number
  resultBytes: number
}

/** When what happened to the tasks of a job of an inline cluster. */
export class InlineTimes {
  readonly #job: MeshJob
  readonly #tasks: InlineTask[] = []
  #submittedAtMs = 0

  constructor(job: MeshJob) {
    this.#job = job
  }

  /** A task is added, which takes values with these ids. */
  add(name: string, inputIds: Iterable<string>): void {
    const within = `${this.#job.id}/`
    const inputs = [...inputIds].flatMap((id) => (id.startsWith(within) ? [Number(id.slice(within.length))] : []))
    const times = { attempt: 0, firstTurnAtMs: 0, turnAtMs: 0, startedAtMs: 0, endedAtMs: 0, resultBytes: 0 }
    this.#tasks.push({ name, inputs, childJobIds: [], ...times })
  }

  submitted(): void {
    this.#submittedAtMs = preciseNowMs()
  }

  /** It is the task's turn: its inputs are brought. */
  turnCame(index: number, attempt: number): void {
    const task = this.#tasks[index] as InlineTask
    task.attempt = attempt
    task.turnAtMs = preciseNowMs()
    task.firstTurnAtMs ||= task.turnAtMs
    task.startedAtMs = task.endedAtMs = 0
  }

  started(index: number): void {
    ;(this.#tasks[index] as InlineTask).startedAtMs = preciseNowMs()
  }

  ended(index: number): void {
    const task = this.#tasks[index] as InlineTask
    if (task.startedAtMs > 0 && task.endedAtMs === 0) task.endedAtMs = preciseNowMs()
  }

  /** The result of the task has so many bytes. */
  made(index: number, resultBytes: number): void {
    ;(this.#tasks[index] as InlineTask).resultBytes = resultBytes
  }

  childSubmitted(index: number, jobId: string): void {
    this.#tasks[index]?.childJobIds.push(jobId)
  }

  /** How long its tasks ran, those of their children included. */
  get ranMs(): number {
    return this.#tasks.reduce((sum, { startedAtMs, endedAtMs }) => sum + Math.max(0, endedAtMs - startedAtMs), 0)
  }

  /** The times as those of a mesh; `ranMsOf` says how long the tasks of a child ran. */
  of(ranMsOf: (jobId: string) => number): JobTimes {
    const tasks = this.#tasks.map((task, index) => this.#timesOf(index, task, ranMsOf))
    const settledAtMs = this.#job.isSettled ? Math.max(...tasks.map((task) => task.settledAtMs), 0) : undefined
    return { jobId: this.#job.id, name: this.#job.name, submittedAtMs: this.#submittedAtMs, settledAtMs, tasks }
  }

  #timesOf(index: number, task: InlineTask, ranMsOf: (jobId: string) => number): TaskTimes {
    const { name, inputs, childJobIds, attempt, turnAtMs, firstTurnAtMs, startedAtMs, endedAtMs, resultBytes } = task
    return {
      ...{ index, name, stage: stageOf(this.#job, index), attempt, workerId: 'inline', slot: 0 },
      // Of what is tried again, the attempts before are between these.
      firstReadyAtMs: attempt > 1 ? firstTurnAtMs : this.#submittedAtMs,
      readyAtMs: attempt > 1 ? turnAtMs : this.#submittedAtMs,
      ...{ sentAtMs: turnAtMs, startedAtMs, endedAtMs, settledAtMs: endedAtMs },
      fetchMs: Math.max(0, startedAtMs - turnAtMs),
      // They run one after the other while it waits.
      parkedMs: childJobIds.reduce((sum, id) => sum + ranMsOf(id), 0),
      ...{ inputBytes: 0, resultBytes, inputs, childJobIds },
    }
  }
}

function stageOf(job: MeshJob, index: number): TaskStage {
  const status = job.futures[index]?.status
  return status === undefined || status === 'pending' ? 'waiting' : status
}

/** Finer than a millisecond. */
function preciseNowMs(): number {
  return performance.timeOrigin + performance.now()
}
