import type { Durability, JobSpec, SessionRequest, TaskSpec } from '#libs/proto'

/** The most tasks in one part of a submit, and the size after which another begins: a message has at most 16 MiB. */
const tasksPerPart = 2_000
const bytesPerPart = 4 * 2 ** 20
/** What a task takes besides its input and name, rounded up. */
const bytesPerTask = 64

/** A job that is submitted, and how safe it must be before the answer. */
export interface Submit {
  readonly requestId: string
  readonly job: JobSpec
  readonly durability: Durability | undefined
}

/** The messages that submit a job: the first carries everything but the rest of the tasks. */
export function* partsOf({ requestId, job, durability }: Submit): Generator<SessionRequest, void> {
  const { tasks, ...rest } = job
  let start = 0
  do {
    const end = endOfPart(tasks, start)
    const part = tasks.slice(start, end)
    const wire: JobSpec = start === 0 ? { ...rest, tasks: part } : { ...emptyJob, jobId: rest.jobId, tasks: part }
    yield { message: { $case: 'submit', value: { requestId, job: wire, more: end < tasks.length, durability } } }
    start = end
  } while (start < tasks.length)
}

/** Where the part ends that begins at this task; it has at least one task, whatever its size. */
function endOfPart(tasks: readonly TaskSpec[], start: number): number {
  const last = Math.min(tasks.length, start + tasksPerPart)
  let byteLength = 0
  for (let index = start; index < last; index++) {
    byteLength += bytesOf(tasks[index] as TaskSpec)
    if (byteLength > bytesPerPart && index > start) return index
  }
  return last
}

function bytesOf({ input, name }: TaskSpec): number {
  return input.byteLength + 3 * name.length + bytesPerTask
}

const emptyJob: Omit<JobSpec, 'jobId' | 'tasks'> = {
  name: '',
  functions: [],
  seed: 0n,
  trace: new Map(),
  detached: false,
  retry: undefined,
  deadline: undefined,
  failFast: false,
  needs: [],
  parent: undefined,
  retryPolicies: [],
}
