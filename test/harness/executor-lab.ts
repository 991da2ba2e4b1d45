import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { bundleTaskModule, unpackBundle } from '#libs/bundle'
import type { ObjectId, TaskFailure, TaskId } from '#libs/domain'
import type { Reference } from '#libs/proto'
import { encodePayload, encodeValue, decodePayload, decodeValue, packStructure } from '#libs/value'

import { type EndOutcome, keyOf, type TaskOrder } from '../../services/worker/core/state.js'
import { createChildMemory } from '../../services/worker/exec/child-memory.js'
import { createExecutor, type Executor } from '../../services/worker/exec/executor.js'
import { createProcessHosts } from '../../services/worker/exec/process-host.js'
import type { AwaitedInput, SlotLog } from '../../services/worker/exec/slot-messages.js'
import { createThreadHosts } from '../../services/worker/exec/thread-host.js'
import type { FetchedInputs } from '../../services/worker/objects/fetched-input.js'

/** The slots run what a user's machine runs. */
const program = new URL('../../dist/services/worker/exec/slot-main.cjs', import.meta.url)

/** Stands for an input of this name among the arguments. */
export class LabInput {
  readonly name: string
  /** Whether the task shares it with others. */
  readonly shared: boolean

  constructor(name: string, shared = false) {
    this.name = name
    this.shared = shared
  }
}

/** A task that was put into a slot. */
export interface LabTask {
  readonly order: TaskOrder
  readonly started: Promise<void>
  /** Its value, or how it failed, by itself or with its slot. */
  readonly ended: Promise<unknown>
}

export interface LabTaskOptions {
  readonly slot?: number
  readonly timeoutMs?: number
  readonly inputs?: FetchedInputs
  /** Inputs that are results of tasks before it in the slot's line. */
  readonly awaited?: Readonly<Record<string, LabTask>>
}

/** An executor with a task module, and what is heard of it. */
export interface ExecutorLab extends AsyncDisposable {
  readonly executor: Executor
  /** Puts one task into a slot. */
  run(taskName: string, args: readonly unknown[], options?: LabTaskOptions): LabTask
  /** Puts the tasks that are made into a slot at once. */
  runTogether(make: (run: ExecutorLab['run']) => void): void
  /** Puts several tasks of one kind into a slot at once. */
  runAll(taskName: string, args: readonly (readonly unknown[])[], options?: LabTaskOptions): LabTask[]
  stop(task: LabTask): void
  readonly lines: SlotLog[]
  /** Slots that were lost, and how that failed what ran there. */
  readonly lost: TaskFailure[]
  /** Tasks whose inputs were not made in their slot. */
  readonly passedOver: readonly string[]
  /** Resolves when a slot is said to be stuck. */
  readonly stuck: Promise<TaskFailure>
}

export interface LabOptions {
  readonly slots?: number
  readonly memoryLimitBytes?: number
  readonly verifyInputs?: boolean
}

export async function startExecutorLab(
  kind: 'thread' | 'process',
  source: string,
  { slots = 1, memoryLimitBytes = 0, verifyInputs = false }: LabOptions = {},
): Promise<ExecutorLab> {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-executor-'))
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
  const file = path.join(folder, 'tasks.mjs')
  await writeFile(file, source)
  const { archive } = await bundleTaskModule(pathToFileURL(file).href)
  await mkdir(path.join(folder, 'cache'))
  const bundlePath = await unpackBundle(archive, path.join(folder, 'cache'))

  const open = new Map<string, OpenTask>()
  const lines: SlotLog[] = []
  const lost: TaskFailure[] = []
  const passedOver: string[] = []
  const objects = new Map<string, unknown>()
  let reportStuck!: (failure: TaskFailure) => void
  const stuck = new Promise<TaskFailure>((resolve) => (reportStuck = resolve))
  const memory = createChildMemory(memoryLimitBytes)
  const executor = createExecutor(
    slots,
    {
      started: (key) => open.get(key)?.start(),
      ended: (key, outcome) => open.get(key)?.end(valueOf(outcome, objects)),
      passedOver: (keys) => void passedOver.push(...keys),
      slotLost: (slot, failure) => {
        lost.push(failure)
        loseLine(slot, failure)
      },
      awaits: () => undefined,
      woke: () => undefined,
      parkedLost: () => undefined,
      slotStuck: (_, __, failure) => reportStuck(failure),
    },
    {
      verifyInputs,
      heard: (message) => {
        if (message.kind === 'log') lines.push(message.line)
      },
      bundlePath: () => bundlePath,
      keepResult: (order, { outcome }) => {
        if (outcome.kind !== 'body') return outcome
        objects.set(order.taskId, decodeValue(outcome.structure, outcome.bytes, { view: true }))
        return { kind: 'object', objectId: order.taskId as string as ObjectId }
      },
    },
    kind === 'process' ? createProcessHosts(program, memory) : createThreadHosts(program),
  )

  /** What the worker's core does: what had started failed, what waited goes into the line again. */
  function loseLine(slot: number, failure: TaskFailure): void {
    const again = [...open.values()].filter((task) => task.slot === slot && !task.isOver)
    for (const task of again.filter(({ isStarted }) => isStarted)) task.end({ failure })
    const waiting = again.filter(({ isOver }) => !isOver)
    if (waiting.length > 0) executor.execute(slot, waiting)
  }

  let count = 0
  const createTask = (taskName: string, args: readonly unknown[], options: LabTaskOptions = {}): OpenTask => {
    const index = count++
    const input = encodePayload(packStructure(encodeValue(args, 'the arguments', { findReference: referenceOf })))
    const { slot = 0, timeoutMs, inputs = new Map(), awaited = {} } = options
    const order: TaskOrder = {
      ...{ taskId: `j-1/${index}` as TaskId, jobId: 'j-1', index, epoch: 1, attempt: 1 },
      ...{ bundleDigest: 'd'.repeat(64), taskName, seed: 7n, input, inputs: [], trace: {}, timeoutMs },
    }
    const makers = Object.entries(awaited).map(([objectId, maker]) => ({ objectId, key: keyOf(maker.order) }))
    const task = new OpenTask(order, inputs, makers, slot)
    open.set(keyOf(order), task)
    return task
  }
  return {
    executor,
    run: (taskName, args, options = {}) => {
      const task = createTask(taskName, args, options)
      executor.execute(task.slot, [task])
      return task
    },
    runTogether: (make) => {
      const tasks: OpenTask[] = []
      make((...task) => {
        const made = createTask(...task)
        tasks.push(made)
        return made
      })
      executor.execute(0, tasks)
    },
    runAll: (taskName, args, options = {}) => {
      const tasks = args.map((each) => createTask(taskName, each, options))
      executor.execute(0, tasks)
      return tasks
    },
    stop: ({ order }) => executor.stopTask(0, keyOf(order), 'not wanted any more'),
    lines,
    lost,
    passedOver,
    stuck,
    [Symbol.asyncDispose]: async () => {
      await executor.stop()
      memory.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

class OpenTask implements LabTask {
  readonly order: TaskOrder
  readonly inputs: FetchedInputs
  readonly devices: readonly number[] = []
  readonly awaited: readonly AwaitedInput[]
  readonly slot: number
  readonly started: Promise<void>
  readonly ended: Promise<unknown>
  isStarted = false
  isOver = false
  #start!: () => void
  #end!: (value: unknown) => void

  constructor(order: TaskOrder, inputs: FetchedInputs, awaited: readonly AwaitedInput[], slot: number) {
    this.order = order
    this.inputs = inputs
    this.awaited = awaited
    this.slot = slot
    this.started = new Promise((resolve) => (this.#start = resolve))
    this.ended = new Promise((resolve) => (this.#end = resolve))
  }

  start(): void {
    this.isStarted = true
    this.#start()
  }

  end(value: unknown): void {
    this.isOver = true
    this.#end(value)
  }
}

function referenceOf(value: object): Reference | undefined {
  if (!(value instanceof LabInput)) return undefined
  return { target: { $case: 'objectId', value: value.name }, shared: value.shared }
}

function valueOf(outcome: EndOutcome, objects: ReadonlyMap<string, unknown>): unknown {
  switch (outcome.kind) {
    case 'payload':
      return decodePayload(outcome.payload)
    case 'object':
      return objects.get(outcome.objectId)
    case 'failed':
      return { failure: outcome.failure }
    default:
      return outcome satisfies never
  }
}
