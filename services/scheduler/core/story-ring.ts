import type { WorkerId } from '#libs/domain'

import type { Task } from './state.js'

/** What can happen to a task, a whole job or a worker. The order is that of the ring's codes. */
export const happenings = [
  'jobSubmitted',
  'jobCancelled',
  'jobPersisted',
  'runTask',
  'cancelAttempt',
  'tasksStarted',
  'tasksEnded',
  'tasksReturned',
  'taskSettled',
  'attemptLost',
  'taskSuspected',
  'taskReopened',
  'attemptClaimed',
  'cancelRequested',
  'workerJoined',
  'workerUnlinked',
  'workerLeft',
  'drainWorker',
  'dismissWorker',
  'recallTask',
  'tasksWaited',
  'tasksWoken',
  'resumeTask',
  'childSubmitted',
  'inputsFetched',
] as const

export type Happening = (typeof happenings)[number]

/** One thing that happened, as the ring remembers it. */
export interface StoryRecord {
  readonly atMs: number
  readonly happening: Happening
  /** 0 for none. */
  readonly attempt: number
  readonly workerId: WorkerId | undefined
  /** The time that the happening is about: waited in the queue, ran, or when it began by the worker's clock. */
  readonly ms: number
  readonly detail: string | undefined
}

/** The newest things that happened. Its places hold numbers, and texts that exist anyway: every task goes through here. */
export interface StoryRing {
  /** `code` is one of `codes`, `index` is `whole` for a whole job, and `job` too for a worker. */
  readonly write: (
    atMs: number,
    code: number,
    job: number,
    index: number,
    attempt: number,
    workerId: WorkerId | undefined,
    ms: number,
    detail: string | undefined,
  ) => void
  /** What touched the task, its job as a whole, or the worker that it was on; oldest first. */
  readonly recordsOf: (task: Task) => StoryRecord[]
  /** The number of the job that was submitted last under this id, as long as that is remembered. */
  readonly numberOf: (jobId: string) => number | undefined
  /** Hears of everything that happened to tasks of the job, oldest first, with their indices. */
  readonly visit: (job: number, hear: (index: number, record: StoryRecord) => void) => void
}

/** The number in the place of an index for a whole job, and of a job for a worker. */
export const whole = 2 ** 32 - 1
const defaultCapacity = 200_000
/** The number of each in a record. */
export const codes = Object.fromEntries(happenings.map((happening, code) => [happening, code])) as Readonly<
  Record<Happening, number>
>
const endings: ReadonlySet<Happening> = new Set([
  'taskSettled',
  'attemptLost',
  'taskReopened',
  'tasksReturned',
  'dismissWorker',
  'workerLeft',
])

export function createStoryRing(capacity = defaultCapacity): StoryRing {
  // Memory that was never written to costs nothing: a young scheduler is small.
  const times = new Float64Array(capacity)
  const spans = new Float64Array(capacity)
  const kinds = new Uint8Array(capacity)
  const jobs = new Uint32Array(capacity)
  const indices = new Uint32Array(capacity)
  const attempts = new Uint32Array(capacity)
  const workers: (WorkerId | undefined)[] = []
  const details: (string | undefined)[] = []
  let next = 0
  let count = 0

  const recordAt = (slot: number): StoryRecord => ({
    atMs: times[slot] ?? 0,
    happening: happenings[kinds[slot] ?? 0] ?? 'jobSubmitted',
    attempt: attempts[slot] ?? 0,
    workerId: workers[slot],
    ms: spans[slot] ?? 0,
    detail: details[slot],
  })

  const slotOf = (nth: number): number => (next - count + nth + capacity) % capacity

  return {
    numberOf: (jobId) => {
      for (let nth = count - 1; nth >= 0; nth--) {
        const slot = slotOf(nth)
        if (kinds[slot] === codes.jobSubmitted && details[slot] === jobId) return jobs[slot]
      }
      return undefined
    },
    visit: (job, hear) => {
      for (let nth = 0; nth < count; nth++) {
        const slot = slotOf(nth)
        if (jobs[slot] === job && indices[slot] !== whole) hear(indices[slot] as number, recordAt(slot))
      }
    },
    write: (atMs, code, job, index, attempt, workerId, ms, detail) => {
      times[next] = atMs
      spans[next] = ms
      kinds[next] = code
      jobs[next] = job
      indices[next] = index
      attempts[next] = attempt
      workers[next] = workerId
      details[next] = detail
      next = next + 1 === capacity ? 0 : next + 1
      if (count < capacity) count++
    },
    recordsOf: ({ job, index }) => {
      const records: StoryRecord[] = []
      let on: WorkerId | undefined
      for (let nth = 0; nth < count; nth++) {
        const slot = slotOf(nth)
        const mine =
          jobs[slot] === job.number
            ? indices[slot] === index || indices[slot] === whole
            : jobs[slot] === whole && on !== undefined && workers[slot] === on
        if (!mine) continue
        const record = recordAt(slot)
        records.push(record)
        if (record.happening === 'runTask' || record.happening === 'attemptClaimed') on = record.workerId
        else if (endings.has(record.happening)) on = undefined
      }
      return records
    },
  }
}
