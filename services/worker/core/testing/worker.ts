import type { ObjectId, TaskId } from '#libs/domain'

import { decide } from '../decide.js'
import type { Effect } from '../effect.js'
import type { Event } from '../event.js'
import { holdReports } from '../holding.js'
import { checkInvariants } from '../invariants.js'
import { type AttemptRef, createState, keyOf, type TaskOrder } from '../state.js'

type Untimed = Event extends infer E ? (E extends Event ? Omit<E, 'atMs'> : never) : never

/** A worker with its clock; every step is checked. Tasks are named by a letter for the kind and a number. */
export function createWorker(slots: number, devices = 0, maxParked?: number, withdraws = true) {
  const state = createState(slots, devices, maxParked, withdraws)
  let nowMs = 0
  let holds = false

  /** One batch of events, whose effects are done together. */
  const happen = (...events: Untimed[]): string[] => {
    const out: Effect[] = []
    for (const event of events) {
      decide(state, { ...event, atMs: nowMs }, out)
      checkInvariants(state)
    }
    return say(out)
  }
  const say = (effects: readonly Effect[]): string[] =>
    holds ? holdReports(state, effects, nowMs).flatMap(sayEffectOrStart) : effects.flatMap(sayEffect)
  const key = (name: string): string => keyOf(refOf(name))

  const worker = {
    order: (...names: string[]) => happen({ kind: 'tasksOrdered', orders: names.map((name) => orderOf(name)) }),
    orderWithGpus: (name: string, gpus: number) =>
      happen({ kind: 'tasksOrdered', orders: [{ ...orderOf(name), gpus }] }),
    save: (name: string) => happen({ kind: 'checkpointSaved', key: key(name) }),
    recall: (...names: string[]) => happen({ kind: 'recallOrdered', refs: names.map(refOf) }),
    pressMemory: (isPaused: boolean) => happen({ kind: 'memoryPressed', isPaused }),
    withdrawn: (name: string) => happen({ kind: 'attemptWithdrawn', key: key(name) }),
    /** It takes the results of others that were ordered before. */
    orderBehind: (name: string, ...inputs: string[]) =>
      happen({ kind: 'tasksOrdered', orders: [{ ...orderOf(name), behind: inputs.map(refOf) }] }),
    passedOver: (...names: string[]) => happen({ kind: 'attemptsPassedOver', keys: names.map(key) }),
    fail: (name: string) => {
      const outcome = { kind: 'failed', failure: slotLost } as const
      return happen({ kind: 'attemptEnded', key: key(name), outcome, startedAtMs: nowMs, endedAtMs: nowMs })
    },
    orderWithInputs: (name: string) => happen({ kind: 'tasksOrdered', orders: [orderOf(name, ['x'])] }),
    fetched: (name: string) => happen({ kind: 'inputsFetched', key: key(name) }),
    start: (name: string) => happen({ kind: 'attemptStarted', key: key(name), startedAtMs: nowMs }),
    end: (name: string, runMs: number) => {
      const startedAtMs = nowMs
      nowMs += runMs
      const outcome = { kind: 'payload', payload: new Uint8Array() } as const
      return happen({ kind: 'attemptEnded', key: key(name), outcome, startedAtMs, endedAtMs: nowMs })
    },
    /** Its result is large, and stays with the worker. */
    endLarge: (name: string) => {
      const outcome = { kind: 'object', objectId: name as ObjectId } as const
      return happen({ kind: 'attemptEnded', key: key(name), outcome, startedAtMs: nowMs, endedAtMs: nowMs })
    },
    /** It ran, and the scheduler has recorded it: from now on its kind is known. */
    run: (name: string, runMs: number) => {
      worker.order(name)
      worker.start(name)
      worker.end(name, runMs)
      worker.acknowledge(name)
    },
    await: (name: string, wait = 1) => happen({ kind: 'attemptAwaits', key: key(name), wait }),
    wake: (name: string, wait = 1) => happen({ kind: 'attemptWoke', key: key(name), wait }),
    resume: (name: string, wait = 1) => happen({ kind: 'resumeOrdered', refs: [{ ...refOf(name), wait }] }),
    loseParked: (name: string) => happen({ kind: 'parkedLost', key: key(name), failure: slotLost }),
    cancel: (...names: string[]) => happen({ kind: 'cancelOrdered', refs: names.map(refOf), reason: 'told' }),
    acknowledge: (...names: string[]) => happen({ kind: 'endsAcknowledged', refs: names.map(refOf) }),
    stick: (name: string, slot: number) => {
      const failure = { kind: 'timeout', reason: 'TASK_TIMEOUT', message: 'too long' } as const
      return happen({ kind: 'slotStuck', slot, key: key(name), failure })
    },
    lose: (slot: number) => happen({ kind: 'slotLost', slot, failure: slotLost }),
    orderAndLose: (name: string, slot: number) =>
      happen({ kind: 'tasksOrdered', orders: [orderOf(name)] }, { kind: 'slotLost', slot, failure: slotLost }),
    giveNotice: () => happen({ kind: 'noticeGiven', reason: 'it leaves' }),
    drain: () => happen({ kind: 'drainOrdered', reason: 'told' }),
    open: () => happen({ kind: 'linkOpened' }),
    /** From now on reports wait for others, and starts are told as well. */
    hold: () => void (holds = true),
    orderUrgent: (name: string) => happen({ kind: 'tasksOrdered', orders: [{ ...orderOf(name), urgent: true }] }),
    /** Time passes, and what is due is said. */
    pass: (ms: number) => {
      nowMs += ms
      return nowMs < state.heldUntilMs ? [] : say([])
    },
  }
  return worker
}

const slotLost = { kind: 'workerLost', reason: 'SLOT_LOST', message: 'gone' } as const

function refOf(name: string): AttemptRef {
  return { taskId: name as TaskId, epoch: 1, attempt: 1 }
}

function orderOf(name: string, inputs: readonly unknown[] = []): TaskOrder {
  return {
    ...refOf(name),
    ...{ jobId: 'j', index: 0, bundleDigest: 'b', taskName: name.slice(0, 1), seed: 0n, input: new Uint8Array() },
    ...{ inputs, trace: {}, timeoutMs: undefined },
  }
}

function sayEffectOrStart(effect: Effect): string[] {
  return effect.kind === 'reportStarted' ? [`${effect.ref.taskId} started`] : sayEffect(effect)
}

function sayEffect(effect: Effect): string[] {
  switch (effect.kind) {
    case 'execute':
      return [
        `${effect.order.taskId} to ${effect.slot}${effect.devices.map((device) => ` with gpu ${device}`).join('')}` +
          effect.made.map(({ taskId }) => ` with ${taskId}`).join('') +
          effect.missing.map(({ taskId }) => ` behind ${taskId}`).join(''),
      ]
    case 'withdrawExecution':
      return [`withdraw ${effect.order.taskId} on ${effect.slot}`]
    case 'stopExecution':
      return [`stop ${effect.order.taskId} on ${effect.slot}`]
    case 'notifyExecution':
      return [`notify ${effect.order.taskId} on ${effect.slot}`]
    case 'fetchInputs':
      return [`fetch for ${effect.order.taskId}`]
    case 'reportEnded':
      return [
        `${effect.end.ref.taskId} ${effect.end.outcome.kind === 'failed' ? 'failed' : 'ended'}` +
          (effect.end.savedCheckpoint ? ' with a checkpoint' : ''),
      ]
    case 'parkExecution':
      return [`park ${effect.order.taskId} of ${effect.slot}`]
    case 'refuseWait':
      return [`refuse wait ${effect.wait} of ${effect.order.taskId}`]
    case 'resumeExecution':
      return [`resume ${effect.order.taskId} on ${effect.slot}`]
    case 'reportWait':
      return [`${effect.ref.taskId} ${effect.isOver ? 'wakes' : 'waits'} ${effect.wait}`]
    case 'returnTask':
      return [`return ${effect.ref.taskId}${effect.recalled ? ' as asked' : ''}`]
    case 'leave':
      return ['leave']
    case 'giveUp':
      return [`give up: ${effect.reason}`]
    case 'reportStarted':
    case 'dropInputs':
      return []
    default:
      return effect satisfies never
  }
}
