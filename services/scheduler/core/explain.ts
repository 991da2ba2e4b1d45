import { formatBytes, formatDuration } from '#libs/domain'

import { isOnItsWay } from './archives.js'
import { describeAwaiting } from './explain-awaiting.js'
import { describePlace } from './explain-place.js'
import { findObject, isAvailable, isLost, isScattered, objectIdOf, type ObjectEntity } from './lookup.js'
import type { State, Task, TaskStatus } from './state.js'
import { ownWords } from './story.js'

type Delayed = Extract<TaskStatus, { kind: 'delayed' }>

/** Inputs that are named one by one; of more, the number is told. */
const namedInputs = 3
/** How far a chain of inputs is followed to what holds it up. */
const longestChain = 10_000

/** What a task waits for, where it runs or how it ended, in one sentence. `wasLost`: its result was there and is lost. */
export function explainTask(state: State, task: Task, atMs: number, wasLost = false): string {
  const again = wasLost && task.status.kind !== 'settled' ? ', because its result was lost and is computed again' : ''
  return `task ${nameOf(task)} ${predicateOf(state, task, atMs)}${again}`
}

function predicateOf(state: State, task: Task, atMs: number): string {
  const { status } = task
  switch (status.kind) {
    case 'waiting':
      return describeWaiting(state, task, atMs)
    case 'delayed':
      return describeDelay(state, task, status, atMs)
    case 'queued':
    case 'assigned':
    case 'running':
      return `${describePlace(state, task, status, atMs)}${describeLosses(task)}`
    case 'awaiting':
      return describeAwaiting(state, task, status, atMs)
    case 'settled':
      return describeSettle(state, task)
    default:
      return status satisfies never
  }
}

function describeWaiting(state: State, task: Task, atMs: number): string {
  const ids = [...new Set(task.spec.dependencies)]
  const missing = ids.map((id) => findObject(state, id)).filter((input) => input !== undefined && !isAvailable(input))
  const named = missing.slice(0, namedInputs).map((input) => describeInput(state, input as ObjectEntity, atMs))
  const more = missing.length - named.length
  const list = [...named, ...(more > 0 ? [`${more} more`] : [])].join('; ')
  const what = ids.length === 1 ? 'its input' : `${missing.length} of its ${ids.length} inputs`
  return `waits for ${what}: ${list}${describeRoot(state, missing[0], atMs)}`
}

/** What holds up the inputs that themselves wait. */
function describeRoot(state: State, first: ObjectEntity | undefined, atMs: number): string {
  let at = first
  let steps = 0
  while (at !== undefined && !isScattered(at) && at.status.kind === 'waiting' && steps < longestChain) {
    at = at.spec.dependencies.map((id) => findObject(state, id)).find((input) => input && !isAvailable(input))
    steps++
  }
  if (at === undefined || steps === 0) return ''
  return `; at the beginning of that chain, ${describeInput(state, at, atMs)}`
}

function describeInput(state: State, input: ObjectEntity, atMs: number): string {
  if (isScattered(input)) return `the scattered buffer ${input.objectId}, which no worker holds now`
  const { status } = input
  if (isLost(input)) return `${nameOf(input)}, whose result is lost`
  if (status.kind === 'waiting') return `${nameOf(input)}, which waits for ${countOf(status.missing, 'input')} itself`
  return `${nameOf(input)}, which ${predicateOf(state, input, atMs)}`
}

function describeDelay(state: State, task: Task, { untilMs, why }: Delayed, atMs: number): string {
  const left = `up to ${formatDuration(Math.max(0, untilMs - atMs))} more`
  const last = task.past?.history.at(-1)
  if (why === 'retry' && last) {
    return `waits ${left} for its next attempt, because attempt ${last.attempt} failed (${last.kind}): ${last.message}`
  }
  if (state.resyncUntilMs !== undefined && task.adoptable) {
    return `may run on a worker from before the scheduler's restart: that worker has ${left} to come back and say so`
  }
  if (task.fetchFailures > 0) {
    const times = task.fetchFailures === 1 ? 'once' : `${task.fetchFailures} times in a row`
    return `is kept back for ${left}, because its inputs could not be fetched ${times}`
  }
  if (state.resyncUntilMs !== undefined) {
    return `is kept back for ${left}, until workers had the time to say what they hold after the scheduler's restart`
  }
  return `is kept back for ${left}`
}

function describeLosses({ losses }: Task): string {
  return losses > 0 ? `; ${countOf(losses, 'attempt')} before ${losses === 1 ? 'was' : 'were'} lost with a worker` : ''
}

function describeSettle(state: State, task: Task): string {
  const { status, released, holders, archive } = task
  if (status.kind !== 'settled') return ''
  const { outcome, record } = status
  const { attempt, workerId, startedAtMs, endedAtMs } = record
  const ran =
    workerId === undefined
      ? ''
      : ` in attempt ${attempt} on ${workerId}, having run ${formatDuration(endedAtMs - startedAtMs)}`
  if (outcome.kind === 'failed') {
    const said = ownWords(task)
    if (said !== undefined) return said
    const how = outcome.failure.kind === 'cancelled' ? 'was cancelled' : 'failed'
    return `${how}${ran || ' and was not run to its end'}: ${outcome.failure.message}`
  }
  const { result } = outcome
  if (result.kind === 'inline') {
    return `finished${ran}; its result (${formatBytes(result.payload.byteLength)}) is with the scheduler`
  }
  const size = formatBytes(result.byteLength)
  const places = [
    ...(holders?.size ? [`on ${[...holders].join(', ')}`] : []),
    ...(archive === undefined ? [] : ['in the checkpoint-store']),
  ]
  const toCome = isOnItsWay(state, task) ? ', and on its way to the checkpoint-store' : ''
  if (places.length > 0) return `finished${ran}; its result (${size}) is ${places.join(' and ')}${toCome}`
  const why = released ? 'nobody wants it any more' : 'it is computed again when somebody needs it'
  return `finished${ran}; its result (${size}) is on no worker: ${why}`
}

/** The id, and the name for people. */
export function nameOf(task: Task): string {
  return task.spec.name ? `${objectIdOf(task)} (${task.spec.name})` : objectIdOf(task)
}

export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
