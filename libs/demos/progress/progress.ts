import pc from 'picocolors'
import {
  formatPlainLine,
  formatProgressLine,
  plainPaint,
  settledShare,
  type ProgressCounts,
  type ProgressPaint,
} from './progress-line.js'
import { createRateMeter } from './rate-meter.js'

const redrawIntervalMs = 80
const plainIntervalMs = 2000
const plainShareStep = 0.1
const columnsUnknown = 80

const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
const eraseToEndOfLine = '\x1b[K'

export interface ProgressOptions {
  /** Where the line goes; `columns` is read at each drawing, so a resized window is followed. */
  readonly stream: { write(text: string): unknown; readonly columns?: number }
  readonly isTty: boolean
  readonly total: number
  /** A monotonic clock. */
  readonly nowMs: () => number
  /** When the work began, by that clock; now unless given. */
  readonly startedAtMs?: number
  readonly label?: string
  /** What is counted, such as `samples`; `tasks` unless given. */
  readonly unit?: string
  readonly color?: boolean
}

export interface Progress {
  /** Tells where the work stands. Cheap enough to be called for every settled task; call it once a second while nothing settles. */
  update(counts: ProgressCounts): void
  /** Draws the last state with its average rate and elapsed time and gives the terminal back. Safe to call twice. */
  finish(): void
}

/**
 * Live progress of long work: on a terminal one line that is redrawn in place, elsewhere a plain line every 2 s or
 * every further 10 %, whichever comes first. It starts no timer: it draws only inside `update` and `finish`.
 */
export function createProgress(options: ProgressOptions): Progress {
  const { stream, isTty, total, nowMs, label = 'sweep', unit = 'tasks', color = isTty, startedAtMs = nowMs() } = options
  const paint = color ? colorPaint() : plainPaint
  const meter = createRateMeter(startedAtMs)
  let counts: ProgressCounts = { done: 0, running: 0, failed: 0 }
  let drawnAtMs = isTty ? Number.NEGATIVE_INFINITY : startedAtMs
  let drawnCounts = counts
  let isCursorHidden = false
  let isFinished = false

  function restoreCursor(): void {
    if (!isCursorHidden) return
    isCursorHidden = false
    process.off('exit', restoreCursor)
    stream.write(showCursor)
  }

  function isDue(atMs: number): boolean {
    if (isTty) return atMs - drawnAtMs >= redrawIntervalMs || counts.failed !== drawnCounts.failed || isComplete()
    if (isComplete()) return false // `finish` says it, once.
    const stepsOf = (c: ProgressCounts) => Math.floor(settledShare({ ...c, total }) / plainShareStep + 1e-9)
    return atMs - drawnAtMs >= plainIntervalMs || stepsOf(counts) > stepsOf(drawnCounts)
  }

  function isComplete(): boolean {
    return counts.done + counts.failed >= total
  }

  function draw(atMs: number, isFinal: boolean): void {
    const elapsedMs = atMs - startedAtMs
    const average = elapsedMs > 0 ? ((counts.done + counts.failed) / elapsedMs) * 1000 : 0
    const snapshot = {
      ...counts,
      label,
      unit,
      total,
      elapsedMs,
      isFinal,
      tasksPerS: isFinal ? average : meter.ratePerS(),
    }
    drawnAtMs = atMs
    drawnCounts = counts
    if (!isTty) {
      stream.write(`${formatPlainLine(snapshot)}\n`)
      return
    }
    if (!isCursorHidden && !isFinal) {
      isCursorHidden = true
      // A program that leaves early must not take the user's cursor with it.
      process.on('exit', restoreCursor)
      stream.write(hideCursor)
    }
    stream.write(`\r${formatProgressLine(snapshot, stream.columns || columnsUnknown, paint)}${eraseToEndOfLine}`)
  }

  return {
    update(next) {
      if (isFinished) return
      const atMs = nowMs()
      meter.add(next.done + next.failed - counts.done - counts.failed, atMs)
      counts = next
      if (isDue(atMs)) draw(atMs, false)
    },
    finish() {
      if (isFinished) return
      isFinished = true
      draw(nowMs(), true)
      if (isTty) stream.write('\n')
      restoreCursor()
    },
  }
}

function colorPaint(): ProgressPaint {
  const colors = pc.createColors(true)
  return { bar: colors.cyan, rest: colors.dim, failed: colors.red }
}
