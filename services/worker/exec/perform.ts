import type { ObjectId, TaskFailure } from '#libs/domain'
import type { AttemptRef, LinkRequest, TaskEnded, TaskStarted } from '#libs/proto'

import type { Effect } from '../core/effect.js'
import { type AttemptKey, keyOf, type MadeInput, type TaskOrder } from '../core/state.js'
import type { UntimedEvent } from '../loop.js'
import type { FetchedInput } from '../objects/fetched-input.js'
import { failureOfFetch, type InputFetcher } from '../objects/input-fetcher.js'
import { descriptorBytesOf, type ObjectStore, type SpilledObject } from '../objects/object-store.js'
import { readBody } from '../objects/stored-body.js'
import { bytesPerMessage, partsOf } from '../rpc/parts.js'
import { attemptToWire, bytesOfEnd, endToWire, waitToWire } from '../rpc/to-wire.js'
import { type BundleCache, failureOfBundle } from './bundle-cache.js'
import type { Execution, Executor } from './executor.js'
import { traceAttempt } from './trace-attempt.js'

type Report = NonNullable<LinkRequest['report']>
/** What the core puts into a slot. */
type Run = Omit<Execution, 'inputs' | 'awaited'> & Pick<EffectOf<'execute'>, 'made' | 'missing'>
type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>

type NamedInput = [string, FetchedInput]

/** What the effects work on. */
export interface PerformPorts {
  readonly workerId: string
  readonly executor: () => Executor
  readonly fetcher: InputFetcher
  readonly bundles: BundleCache
  readonly store: ObjectStore
  readonly post: (event: UntimedEvent) => void
  readonly report: (report: Report) => void
  /** The attempt is over: what it submitted is of no interest any more. */
  readonly forget: (key: string) => void
  /** Says the lines that tasks wrote. */
  readonly flushLines: () => void
  readonly leave: () => void
  readonly giveUp: (reason: string) => void
}

const leastFetchMs = 0.1
/** The most ends in one message, and how long it is at most: one end has at most 256 KiB. */
const mostEnds = { items: 500, bytes: bytesPerMessage }

/** Does what the core decided; reports of one batch go out together. */
export function createPerform(ports: PerformPorts): (effects: readonly Effect[]) => void {
  const { executor, fetcher, bundles, store, post, report } = ports

  /** Puts tasks into their slots; those whose bundle is not here yet, or whose inputs are on the disk, follow when they are. */
  function execute(runs: ReadonlyMap<number, Run[]>): void {
    for (const [slot, slotRuns] of runs) {
      const here: Execution[] = []
      for (const run of slotRuns) {
        const { order } = run
        const isHere = bundles.path(order.bundleDigest) !== undefined && findSpilled(run.made).length === 0
        if (!isHere) void executeLater(slot, run)
        else here.push(executionOf(run))
      }
      if (here.length > 0) executor().execute(slot, here)
    }
  }

  /** A task with its inputs: those that were fetched, and those that were made here. */
  function executionOf({ order, devices, made, missing }: Run, read: readonly NamedInput[] = []): Execution {
    const fetched = fetcher.inputsOf(keyOf(order))
    const inputs =
      made.length === 0 ? fetched : new Map([...fetched, ...made.flatMap((each) => findMade(store, each)), ...read])
    if (missing.length === 0) return { order, devices, inputs }
    return { order, devices, inputs, awaited: missing.map((ref) => ({ objectId: ref.taskId, key: keyOf(ref) })) }
  }

  /** Results of tasks that ran here, and are on the disk by now. */
  function findSpilled(made: readonly MadeInput[]): SpilledObject[] {
    return made.flatMap(({ outcome }) => {
      const object = outcome.kind === 'object' ? store.get(outcome.objectId) : undefined
      return object?.place === 'disk' ? object : []
    })
  }

  /** How long it took to bring the inputs of attempts that are not over, where there were some. */
  const fetchTimesMs = new Map<AttemptKey, number>()

  /** Attempts whose bundle or inputs are on their way: the executor does not know them yet. */
  const awaiting = new Set<string>()

  async function executeLater(slot: number, run: Run): Promise<void> {
    const { order } = run
    const key = keyOf(order)
    awaiting.add(key)
    let failureOf = (error: unknown): TaskFailure => failureOfBundle(order.bundleDigest, error)
    try {
      await bundles.fetch(order.bundleDigest, order.trace)
      failureOf = failureOfFetch
      const read = await Promise.all(
        findSpilled(run.made).map(async (object): Promise<NamedInput> => {
          const bytes = await readBody(store, object)
          return [object.objectId, { kind: 'body', structure: object.descriptor.structure, bytes }]
        }),
      )
      if (!awaiting.delete(key)) return
      executor().execute(slot, [executionOf(run, read)])
    } catch (error) {
      if (!awaiting.delete(key)) return
      const failure = failureOf(error)
      const atMs = Date.now()
      post({
        kind: 'attemptEnded',
        key: keyOf(order),
        outcome: { kind: 'failed', failure },
        startedAtMs: atMs,
        endedAtMs: atMs,
      })
    }
  }

  function withdrawExecution({ slot, order }: EffectOf<'withdrawExecution'>): void {
    const key = keyOf(order)
    if (awaiting.delete(key) || executor().withdraw(slot, key)) post({ kind: 'attemptWithdrawn', key })
  }

  /** What waits for its bundle has not started: its place in the slot is free at once. */
  function stopExecution({ slot, order, reason }: EffectOf<'stopExecution'>): void {
    const key = keyOf(order)
    if (!awaiting.delete(key)) {
      executor().stopTask(slot, key, reason)
      return
    }
    const atMs = Date.now()
    const outcome = { kind: 'failed', failure: { kind: 'cancelled', reason: 'CANCELLED', message: reason } } as const
    post({ kind: 'attemptEnded', key, outcome, startedAtMs: atMs, endedAtMs: atMs })
  }

  async function fetchInputs(order: TaskOrder): Promise<void> {
    const startMs = Date.now()
    const began = performance.now()
    const key = keyOf(order)
    fetchTimesMs.set(key, 0)
    try {
      await fetcher.fetch(order)
      const fetchMs = performance.now() - began
      // It may be over by now; and what was here already took no time worth telling.
      if (fetchTimesMs.has(key) && fetchMs >= leastFetchMs) fetchTimesMs.set(key, fetchMs)
      traceAttempt(order, 'fetch', startMs, Date.now(), ports.workerId)
      post({ kind: 'inputsFetched', key })
    } catch (error) {
      const failure = failureOfFetch(error)
      traceAttempt(order, 'fetch', startMs, Date.now(), ports.workerId, failure.message)
      post({ kind: 'inputsFailed', key, failure })
    }
  }

  return (effects) => {
    const runs = new Map<number, Run[]>()
    const started: TaskStarted[] = []
    const ended: { readonly wire: TaskEnded; readonly bytes: number }[] = []
    const returned: AttemptRef[] = []
    const recalled: AttemptRef[] = []
    const waits: AttemptRef[] = []
    const takenOut: EffectOf<'withdrawExecution' | 'stopExecution'>[] = []
    const notified: EffectOf<'notifyExecution'>[] = []
    const dropped: AttemptKey[] = []
    let leaves = false
    let reasonToGiveUp: string | undefined
    for (const effect of effects) {
      switch (effect.kind) {
        case 'fetchInputs':
          void fetchInputs(effect.order)
          break
        case 'execute':
          pushTo(runs, effect.slot, effect)
          break
        case 'withdrawExecution':
        case 'stopExecution':
          takenOut.push(effect)
          break
        case 'notifyExecution':
          notified.push(effect)
          break
        case 'reportStarted':
          started.push({ attempt: attemptToWire(effect.ref), atMs: effect.startedAtMs, slot: effect.slot })
          break
        case 'reportEnded': {
          const { end, order } = effect
          const failure = end.outcome.kind === 'failed' ? end.outcome.failure.message : undefined
          if (order) traceAttempt(order, 'run', end.startedAtMs, end.endedAtMs, ports.workerId, failure)
          const held = (objectId: string) => store.get(objectId as ObjectId)
          ended.push({
            wire: endToWire(end, (objectId) => held(objectId)?.descriptor, order && fetchTimesMs.get(keyOf(order))),
            bytes: bytesOfEnd(end, (objectId) => descriptorBytesOf(held(objectId)?.descriptor)),
          })
          break
        }
        case 'returnTask':
          ;(effect.recalled ? recalled : returned).push(attemptToWire(effect.ref))
          break
        case 'dropInputs':
          fetcher.drop(keyOf(effect.attempt.order))
          ports.forget(keyOf(effect.attempt.order))
          dropped.push(keyOf(effect.attempt.order))
          break
        case 'parkExecution':
          executor().park(effect.slot, keyOf(effect.order))
          break
        case 'refuseWait':
          executor().resume(effect.slot, keyOf(effect.order), effect.wait, effect.message)
          break
        case 'resumeExecution':
          executor().resume(effect.slot, keyOf(effect.order), effect.wait)
          break
        case 'reportWait':
          waits.push(waitToWire(effect.ref, effect.wait, effect.isOver))
          break
        case 'leave':
          leaves = true
          break
        case 'giveUp':
          reasonToGiveUp = effect.reason
          break
        default:
          effect satisfies never
      }
    }
    // Only now: that an attempt ended is said after its inputs are dropped.
    for (const key of dropped) fetchTimesMs.delete(key)
    execute(runs)
    // After what the same batch put into the lines: else that would be unknown yet, and would run.
    for (const effect of takenOut) {
      if (effect.kind === 'stopExecution') stopExecution(effect)
      else withdrawExecution(effect)
    }
    for (const { slot, order, reason } of notified) executor().notifyTask(slot, keyOf(order), reason)
    // With the ends where there are any: each message wakes the scheduler. But who waits has started before.
    const startsFirst = ended.length === 0 || waits.length > 0
    if (startsFirst && started.length > 0) report({ $case: 'tasksStarted', value: { tasks: started.splice(0) } })
    if (waits.length > 0) report({ $case: 'tasksWaiting', value: { attempts: waits } })
    if (ended.length > 0) ports.flushLines()
    for (const part of partsOf(ended, ({ bytes }) => bytes, mostEnds)) {
      report({ $case: 'tasksEnded', value: { tasks: part.map(({ wire }) => wire), started: started.splice(0) } })
    }
    if (returned.length > 0) report({ $case: 'tasksReturned', value: { attempts: returned, recalled: false } })
    if (recalled.length > 0) report({ $case: 'tasksReturned', value: { attempts: recalled, recalled: true } })
    if (leaves) ports.leave()
    if (reasonToGiveUp !== undefined) ports.giveUp(reasonToGiveUp)
  }
}

/**
 * A result of a task that ran here; one that is not held any more is wanted by nobody who counts. A small one is part of the
 * message of many ends: a copy goes on, not all of that, and not one for all who take it.
 */
function findMade(store: ObjectStore, { taskId, outcome }: MadeInput): NamedInput[] {
  if (outcome.kind === 'payload') return [[taskId, { kind: 'payload', payload: new Uint8Array(outcome.payload) }]]
  const held = store.get(outcome.objectId)
  return held?.place === 'memory'
    ? [[taskId, { kind: 'body', structure: held.descriptor.structure, bytes: held.bytes }]]
    : []
}

function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
