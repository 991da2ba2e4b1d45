import type { Effect } from './effect.js'
import {
  type Attempt,
  type AttemptKey,
  type AttemptRef,
  keyOf,
  kindOf,
  type MadeInput,
  type State,
  type TaskOrder,
} from './state.js'

/** How much work of a short kind waits in a slot's line, so that the slot never waits for the next task. */
const lineMs = 20
/**
 * How much waits there that can be taken out again: so long nobody need hear of starts and ends. Not of tasks that bring inputs: each in a
 * line has its own copies of them.
 */
const longLineMs = 200
/** A longer task has none wait behind it. */
const longestMs = 150
/** What is shorter is not worth moving to another line. */
const leastMovedMs = 1
const maxLine = 256
const newestWeight = 0.2
/** With this many ends that the scheduler has not recorded no more tasks are started: memory stays bounded. */
const maxUnacknowledged = 10_000

/** Puts ready attempts into the shortest lines; they wait here, instead of behind what may take long. */
export function fillLines(state: State, out: Effect[]): void {
  if (!fillResuming(state, out)) return
  if (state.paused || state.unacknowledged.size >= maxUnacknowledged) return
  while (state.ready.length > 0) {
    const key = state.ready[0] as AttemptKey
    const attempt = state.attempts.get(key)
    if (attempt?.status.kind !== 'ready') {
      state.ready.shift()
      continue
    }
    if ((attempt.order.gpus ?? 0) > state.freeDevices.length) {
      // It keeps nobody waiting who needs none.
      state.ready.shift()
      state.awaitingDevices.push(key)
      continue
    }
    const slot = shortestLine(state)
    const line = slot === undefined ? undefined : state.lines[slot]
    if (slot === undefined || line === undefined) return
    if (line.length >= 1 + lineLimit(state, attempt.order)) return
    state.ready.shift()
    putIntoLine(state, slot, key, attempt, out)
  }
  moveToFreeSlot(state, out)
}

/** Nothing is ready for a slot that is free: the last in another's line goes there, when it has not begun by then. */
function moveToFreeSlot(state: State, out: Effect[]): void {
  if (!state.withdraws || !state.lines.some(({ length }) => length === 0)) return
  for (const [slot, line] of state.lines.entries()) {
    const attempt = line.length < 2 ? undefined : state.attempts.get(line.at(-1) as AttemptKey)
    if (attempt?.status.kind !== 'lined' || attempt.cancelled || attempt.isRecalled || attempt.isMoving) continue
    // What follows another takes its result in the same thread.
    if (attempt.missing?.length || (state.meanRunMs.get(kindOf(attempt.order)) ?? 0) < leastMovedMs) continue
    attempt.isMoving = true
    out.push({ kind: 'withdrawExecution', slot, order: attempt.order })
    return
  }
}

/** Who goes on comes before who begins, and needs a slot to itself. Returns whether all of them have one. */
function fillResuming(state: State, out: Effect[]): boolean {
  const { resuming, attempts, lines } = state
  for (let key = resuming[0]; key !== undefined; key = resuming[0]) {
    const attempt = attempts.get(key)
    if (attempt?.status.kind === 'resuming') {
      const slot = lines.findIndex((line) => line.length === 0)
      if (slot < 0) return false
      const { startedAtMs, wait } = attempt.status
      lines[slot]?.push(key)
      attempt.status = { kind: 'running', slot, startedAtMs }
      out.push({ kind: 'resumeExecution', slot, order: attempt.order, wait })
    }
    resuming.shift()
  }
  return true
}

/** Puts an attempt at the end of a line, and behind it what was sent ahead of its result, and so on. */
export function putIntoLine(state: State, slot: number, first: AttemptKey, attempt: Attempt, out: Effect[]): void {
  const open: [AttemptKey, Attempt][] = [[first, attempt]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [key, { order }] = next
    state.lines[slot]?.push(key)
    next[1].status = { kind: 'lined', slot }
    const devices = takeDevices(state, next[1])
    const { made = nothingMade, missing = nothingMissing } = next[1]
    out.push({ kind: 'execute', slot, order, devices, made, missing })
    for (const follower of state.followers.get(key) ?? []) {
      const behind = state.attempts.get(follower)
      if (behind?.status.kind === 'following' && lineToFollowIn(state, behind) === slot) open.push([follower, behind])
    }
  }
}

const noDevices: readonly number[] = []
const nothingMade: readonly MadeInput[] = []
const nothingMissing: readonly AttemptRef[] = []

function takeDevices(state: State, attempt: Attempt): readonly number[] {
  const { gpus = 0 } = attempt.order
  if (gpus === 0) return noDevices
  return (attempt.devices = state.freeDevices.splice(0, gpus))
}

/** The attempt needs its devices no longer; those who wait for some may have their turn. */
export function freeDevices(state: State, attempt: Attempt): void {
  if (attempt.devices === undefined) return
  state.freeDevices.push(...attempt.devices)
  state.freeDevices.sort((a, b) => a - b)
  delete attempt.devices
  state.ready.unshift(...state.awaitingDevices.splice(0))
}

/** The shortest of the lines that take more. */
function shortestLine(state: State): number | undefined {
  let best: number | undefined
  let least = Infinity
  for (const [slot, { length }] of state.lines.entries()) {
    if (length < least && takesMore(state, slot)) {
      best = slot
      least = length
    }
  }
  return best
}

/** Nothing waits behind what is long, unknown or being stopped: it could be for long, even if another slot may have it then. */
function takesMore(state: State, slot: number): boolean {
  const line = state.lines[slot] ?? []
  if (line.length === 0) return true
  return (state.openLines[slot] ??= line.every((key) => {
    const attempt = state.attempts.get(key)
    return attempt !== undefined && !attempt.cancelled && isShort(state, state.meanRunMs.get(kindOf(attempt.order)))
  }))
}

function isShort({ withdraws }: State, meanRunMs: number | undefined): meanRunMs is number {
  return meanRunMs !== undefined && meanRunMs <= (withdraws ? longestMs : lineMs)
}

/** How many may wait behind the first. */
function lineLimit(state: State, order: TaskOrder): number {
  const meanRunMs = state.meanRunMs.get(kindOf(order))
  if (!isShort(state, meanRunMs)) return 0
  const mostMs = state.withdraws && order.inputs.length === 0 ? longLineMs : lineMs
  return Math.min(maxLine, Math.max(1, Math.floor(mostMs / Math.max(meanRunMs, 0.01))))
}

/** What the same batch of events put into the slot would run in the next thread, and then once more: it goes into a line again. */
export function takeBackExecutions(slot: number, out: Effect[]): void {
  const kept = out.filter((effect) => effect.kind !== 'execute' || effect.slot !== slot)
  out.splice(0, out.length, ...kept)
}

/** The line that all of the attempt's missing inputs are in, when it has room, and nobody waits for the slot to go on in it. */
export function lineToFollowIn(state: State, { order, missing = nothingMissing }: Attempt): number | undefined {
  if (state.resuming.length > 0) return undefined
  let slot: number | undefined
  for (const ref of missing) {
    const input = state.attempts.get(keyOf(ref))
    if (input === undefined || input.cancelled || !('slot' in input.status)) return undefined
    if (slot !== undefined && slot !== input.status.slot) return undefined
    slot = input.status.slot
  }
  if (slot === undefined || (order.gpus ?? 0) > 0 || !takesMore(state, slot)) return undefined
  const length = state.lines[slot]?.length ?? 0
  return length < 1 + lineLimit(state, order) ? slot : undefined
}

/** The attempt is in no line any more. */
export function leaveLine(state: State, key: AttemptKey, { status }: Attempt): void {
  if (!('slot' in status)) return
  const line = state.lines[status.slot]
  const at = line?.indexOf(key) ?? -1
  if (at >= 0) line?.splice(at, 1)
  // Only what closed the line can open it; into an empty one a long task may come.
  if (!state.openLines[status.slot] || line?.length === 0) state.openLines[status.slot] = undefined
}

/** Learns how long tasks of the kind run. */
export function learnRunTime(state: State, { order }: Attempt, runMs: number): void {
  const kind = kindOf(order)
  const known = state.meanRunMs.get(kind)
  const meanRunMs = known === undefined ? runMs : known + newestWeight * (runMs - known)
  state.meanRunMs.set(kind, meanRunMs)
  if (isShort(state, known) !== isShort(state, meanRunMs)) state.openLines.fill(undefined)
}
