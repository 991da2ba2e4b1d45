import { InvalidArgumentError } from 'commander'

import { JobState, TaskState, WorkerState } from '#libs/proto'

import type { Paint } from './table.js'

const jobStates = new Map<string, JobState>([
  ['running', JobState.RUNNING],
  ['finished', JobState.FINISHED],
  ['failed', JobState.FAILED],
  ['cancelled', JobState.CANCELLED],
])

const taskStates = new Map<string, TaskState>([
  ['waiting', TaskState.WAITING],
  ['queued', TaskState.QUEUED],
  ['assigned', TaskState.ASSIGNED],
  ['running', TaskState.RUNNING],
  ['finished', TaskState.FINISHED],
  ['failed', TaskState.FAILED],
  ['cancelled', TaskState.CANCELLED],
])

const workerStates = new Map<string, WorkerState>([
  ['ready', WorkerState.READY],
  ['draining', WorkerState.DRAINING],
  ['quarantined', WorkerState.QUARANTINED],
  ['paused', WorkerState.PAUSED],
])

export const nameOfJobState = (state: JobState): string => nameIn(jobStates, state)
export const nameOfTaskState = (state: TaskState): string => nameIn(taskStates, state)
export const nameOfWorkerState = (state: WorkerState): string => nameIn(workerStates, state)

export const parseJobState = (text: string): JobState => stateIn(jobStates, text)
export const parseTaskState = (text: string): TaskState => stateIn(taskStates, text)
export const parseWorkerState = (text: string): WorkerState => stateIn(workerStates, text)

/** Which states a list can be narrowed to, for the help. */
export const jobStateNames = [...jobStates.keys()].join(', ')
export const taskStateNames = [...taskStates.keys()].join(', ')
export const workerStateNames = [...workerStates.keys()].join(', ')

/** The colour of a state: what needs a look stands out. */
export function paintOfState(state: string): Paint | undefined {
  switch (state) {
    case 'failed':
    case 'unreachable':
      return 'red'
    case 'cancelled':
    case 'draining':
    case 'quarantined':
    case 'paused':
    case 'ended':
      return 'yellow'
    case 'running':
    case 'assigned':
      return 'cyan'
    case 'finished':
    case 'ready':
      return 'green'
    default:
      return 'dim'
  }
}

function nameIn<State>(states: ReadonlyMap<string, State>, state: State): string {
  for (const [name, known] of states) if (known === state) return name
  return 'unknown'
}

function stateIn<State>(states: ReadonlyMap<string, State>, text: string): State {
  const state = states.get(text)
  if (state !== undefined) return state
  throw new InvalidArgumentError(`Give one of ${[...states.keys()].join(', ')}.`)
}
