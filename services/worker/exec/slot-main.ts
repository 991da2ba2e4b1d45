import { setImmediate as nextTurn } from 'node:timers/promises'
import { isMainThread, workerData } from 'node:worker_threads'

import { shareSegmented } from '#libs/memory'
import { registerThreadTelemetry } from '#libs/telemetry/thread'

import { BorrowedMemory } from './borrowed-memory.js'
import { collectGarbage } from './garbage.js'
import { beginClaimed } from './line-claims.js'
import { LineResults } from './line-results.js'
import { captureConsole } from './task-console.js'
import { packEnds, type TaskColumns, unpackTasks } from './slot-columns.js'
import { answerCall } from './slot-calls.js'
import type { FromSlot, SlotEnd, SlotStart, SlotTask } from './slot-messages.js'
import { openSlotPort } from './slot-port.js'
import { SlotProfile } from './slot-profile.js'
import { createSlotTaskRunner } from './slot-task.js'
import { SlotWaits } from './slot-waits.js'
import type { ThreadShare } from './thread-host.js'

/**
 * What runs in a slot, be it a thread or a process: a line of tasks, run one after the other. What is said about short tasks
 * is batched; what a long task must say (that it started, how the ones before it ended) is said before it runs, because a
 * busy solver does not give the loop back. It is one message: each takes the main side part of a millisecond on a busy machine.
 */
const port = openSlotPort()

/** Ends are said together when they come faster than this. */
const flushMs = 1
/** A kind of task whose last run was shorter is not announced before it runs. */
const shortMs = 1
/** Of a kind of task whose last run was shorter no progress is said before a task has run for so long. */
const briefMs = 100
/** So often at least the loop has its turn, with timers and memory that tasks have given up, however many tasks follow each other. */
const turnMs = 50

const line: SlotTask[] = []
/** A process has none. */
const claims = isMainThread ? undefined : (workerData as ThreadShare).claims
const results = new LineResults()
const lastRunMs = new Map<string, number>()
let running: { readonly key: string; readonly stop: AbortController; readonly waits: SlotWaits } | undefined
/** A task waits, and others run elsewhere. */
let isClosed = false
let ends: SlotEnd[] = []
let passedOver: string[] = []
/** The ends are to be said before another task runs. */
let isDue = false
/** Among what is to be said is something that somebody waits for. */
let isUrgent = false
/** How long the line was when the main side last sent a task, or heard of one at once. */
let knownLine = 0
let flushedAtMs = 0
let busy = false

const say = (message: FromSlot, transfer?: readonly ArrayBuffer[]): void => port.say(message, transfer)
/** A process has memory of its own. */
const borrowed = isMainThread ? undefined : new BorrowedMemory(say)
if (!isMainThread) shareSegmented()
const run = createSlotTaskRunner(say, borrowed)
const profile = new SlotProfile(say)
registerThreadTelemetry((text) => say({ kind: 'span', line: text }))
captureConsole((level, text) => run.log(level, text))

port.listen((message) => {
  switch (message.kind) {
    case 'run':
      takeTasks(message.tasks)
      return
    case 'stop':
      stopTask(message.key, message.reason)
      return
    case 'resume':
      isClosed = false
      if (running?.key === message.key) running.waits.resume(message.wait, message.refusal)
      return
    case 'told':
      run.tell(message.jobId, message.news)
      return
    case 'offer':
      borrowed?.keep(message.loan)
      return
    case 'collect':
      borrowed?.drop()
      collectGarbage()
      return
    case 'answer':
      answerCall(message.callId, message.result, message.error)
      return
    default:
      message satisfies never
  }
})

function takeTasks(columns: TaskColumns): void {
  // First of all: what is not wanted here is given back.
  const tasks = unpackTasks(columns).map((task) => {
    const inputs = borrowed?.view(task.inputs) ?? task.inputs
    return inputs === task.inputs ? task : { ...task, inputs }
  })
  // The main side runs them elsewhere: it hears of the wait after it said this.
  if (isClosed) return
  for (const task of tasks) {
    results.expect(task)
    line.push(task)
  }
  knownLine = line.length
  if (!busy) void work()
}

async function work(): Promise<void> {
  busy = true
  let turnedAtMs = now()
  for (;;) {
    if (now() - turnedAtMs > turnMs) {
      await nextTurn()
      turnedAtMs = now()
    }
    const task = nextTask()
    if (task === undefined) break
    const inputs = results.take(task)
    if (claims && !beginClaimed(claims, task.claim)) {
      say({ kind: 'dropped', key: task.key, claim: task.claim })
      continue
    }
    if (inputs === undefined) {
      passedOver.push(task.key)
      continue
    }
    if (isMainThread && task.devices.length > 0) process.env['CUDA_VISIBLE_DEVICES'] = task.devices.join(',')
    const { kind } = task.call
    const startedAtMs = now()
    // It may be told to stop before it starts.
    const stop = new AbortController()
    const mustBeKnown = task.isDoubtful || task.timeoutMs !== undefined
    const start = { isAnnounced: false }
    const announce = (): void => {
      start.isAnnounced = true
      isUrgent ||= mustBeKnown || task.isUrgent
      flush({ key: task.key, startedAtMs })
    }
    const waits = new SlotWaits(stop, {
      awaits: (wait) => {
        if (!start.isAnnounced) announce()
        isClosed = true
        for (const behind of line.splice(0)) results.take(behind)
        say({ kind: 'awaits', key: task.key, wait })
      },
      woke: (wait) => say({ kind: 'woke', key: task.key, wait }),
    })
    running = { key: task.key, stop, waits }
    const usualMs = lastRunMs.get(kind) ?? Infinity
    if (mustBeKnown || usualMs >= shortMs) {
      announce()
      const flushed = port.flushed()
      if (flushed) await flushed
    } else if (isDue) flush()
    if (task.call.isSampled) profile.begin()
    const quietUntilMs = usualMs < briefMs ? performance.now() + briefMs : 0
    const outcome = await run.run(inputs === task.inputs ? task : { ...task, inputs }, { stop, waits, quietUntilMs })
    running = undefined
    const endedAtMs = now()
    if (task.call.isSampled) await profile.end(task, line[0]?.call.jobId !== task.call.jobId)
    lastRunMs.set(kind, endedAtMs - startedAtMs)
    results.keep(task.key, outcome)
    ends.push({ key: task.key, outcome, startedAtMs, endedAtMs })
    // Who is said to run is blamed for the end of the slot: nobody else may run before its end is said.
    isUrgent ||= mustBeKnown || task.isUrgent || outcome.kind !== 'payload'
    isDue ||= start.isAnnounced || endedAtMs - flushedAtMs > flushMs || outcome.kind === 'body'
  }
  flush()
  busy = false
}

/** What came while the last one ran is heard first: a task that follows at once is said to start in the message that says how that ended. */
function nextTask(): SlotTask | undefined {
  if (line.length === 0) port.catchUp()
  return line.shift()
}

/**
 * Says how tasks ended, which could not begin because of that, and what begins now. To hear it costs the main side a tenth of a millisecond
 * while a processor is busy: as long as half of the line that it knows is left, and nobody waits for it, it need not hear it at once.
 */
function flush(started?: SlotStart): void {
  const moved = ends.flatMap(({ outcome }) => (outcome.kind === 'body' && !outcome.loan ? [outcome.bytes.buffer] : []))
  const said = { ...(ends.length > 0 && { ends: packEnds(ends) }), ...(passedOver.length > 0 && { passedOver }) }
  if (started || ends.length > 0 || passedOver.length > 0) {
    const lasts = line.length > 0 && line.length >= knownLine / 2
    const mayWait = started !== undefined && lasts && !isUrgent && passedOver.length === 0
    say({ kind: 'turn', ...said, started, mayWait }, moved)
    if (!mayWait) knownLine = line.length
    isUrgent = false
  }
  ends = []
  passedOver = []
  isDue = false
  flushedAtMs = now()
}

function stopTask(key: string, reason: string): void {
  if (running?.key === key) running.stop.abort(new Error(reason))
  // One that was withdrawn may have come again.
  for (const task of line.filter((waiting) => waiting.key === key)) {
    line.splice(line.indexOf(task), 1)
    results.take(task)
    say({ kind: 'dropped', key, claim: task.claim })
  }
}

// Monotonic within the thread, comparable between threads, finer than a millisecond.
function now(): number {
  return performance.timeOrigin + performance.now()
}
