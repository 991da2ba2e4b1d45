import {
  type JobContext,
  ProfileKind,
  type Result,
  type RunTask,
  type RunTasks,
  type TaskInput,
  Value,
} from '#libs/proto'

import { attemptOf, findObject } from '../core/lookup.js'
import { demandOfTask } from '../core/slots.js'
import type { Job, State, Task } from '../core/state.js'
import { isUrgent } from '../core/urgency.js'
import { attemptToWire, durationOf, resultToWire, timestampOf } from '../rpc/to-wire.js'

/** The most tasks in one message, and the size after which another begins: it has at most 16 MiB. */
const tasksPerMessage = 500
const bytesPerMessage = 4 * 2 ** 20

/** Of nearly all tasks. */
const untraced: RunTask['trace'] = new Map()
const noInputs: TaskInput[] = []

/** Tasks for one worker, with what they share said once. */
export interface RunBatch {
  add(task: Task, attempt: number, epoch: number, trace: Readonly<Record<string, string>>): void
  messages(): readonly RunTasks[]
}

export function createRunBatch(state: State): RunBatch {
  const messages: RunTasks[] = []
  let jobIndices = new Map<Job, number>()
  let current: RunTasks | undefined
  let byteLength = 0
  return {
    add: (task, attempt, epoch, trace) => {
      const inputs = inputsOf(state, task)
      const bytes = task.spec.input.byteLength + inputs.reduce((sum, { result }) => sum + bytesOf(result), 0)
      if (
        current === undefined ||
        current.tasks.length >= tasksPerMessage ||
        (byteLength > 0 && byteLength + bytes > bytesPerMessage)
      ) {
        messages.push((current = { jobs: [], tasks: [] }))
        jobIndices = new Map()
        byteLength = 0
      }
      byteLength += bytes
      const { job } = task
      let jobIndex = jobIndices.get(job)
      if (jobIndex === undefined) {
        jobIndices.set(job, (jobIndex = current.jobs.length))
        current.jobs.push(jobContextOf(job))
      }
      current.tasks.push(runTaskOf(task, jobIndex, attempt, epoch, inputs, trace))
    },
    messages: () => messages,
  }
}

function jobContextOf({ spec }: Job): JobContext {
  return {
    jobId: spec.jobId,
    functions: spec.functions.map((called) => ({ ...called })),
    seed: spec.seed,
    trace: new Map(Object.entries(spec.trace)),
    deadline: spec.deadlineMs === undefined ? undefined : timestampOf(spec.deadlineMs),
    ...(spec.profile && { profile: ProfileKind.CPU }),
  }
}

/** About how many bytes an input takes in the message. */
function bytesOf(result: Result | undefined): number {
  const { location, holders = [] } = result ?? {}
  if (location?.$case === 'payload') return location.value.byteLength
  const structure = location?.value.structure
  return (structure ? Value.encode(structure).finish().byteLength : 0) + 64 * (1 + holders.length)
}

function runTaskOf(
  task: Task,
  job: number,
  attempt: number,
  epoch: number,
  inputs: TaskInput[],
  trace: Readonly<Record<string, string>>,
): RunTask {
  const { spec, index } = task
  const gpus = spec.needs === undefined ? undefined : demandOfTask(task).shape.others.find(([name]) => name === 'gpu')
  return {
    job,
    index,
    attempt,
    epoch: BigInt(epoch),
    function: spec.functionIndex,
    input: spec.input as Buffer,
    inputs,
    trace: 'traceparent' in trace ? new Map(Object.entries(trace)) : untraced,
    gpus: gpus?.[1] ?? 0,
    urgent: isUrgent(task),
    timeout: spec.timeoutMs === undefined ? undefined : durationOf(spec.timeoutMs),
  }
}

function inputsOf(state: State, { spec, status }: Task): TaskInput[] {
  if (spec.dependencies.length === 0) return noInputs
  const behind = status.kind === 'assigned' ? status.behind : []
  return [...new Set(spec.dependencies)].flatMap((objectId) => {
    const entity = findObject(state, objectId)
    if (entity === undefined) return []
    if ('objectId' in entity) {
      const { descriptor, byteLength } = entity
      const result = resultToWire(state, { kind: 'object', descriptor, byteLength }, entity)
      return { objectId, result, madeBy: undefined }
    }
    const made = entity.status
    if (behind.includes(entity) && (made.kind === 'assigned' || made.kind === 'running')) {
      return { objectId, result: undefined, madeBy: attemptToWire(attemptOf(entity, made)) }
    }
    if (made.kind !== 'settled' || made.outcome.kind === 'failed') return []
    return { objectId, result: resultToWire(state, made.outcome.result, entity), madeBy: undefined }
  })
}
