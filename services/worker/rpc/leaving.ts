/** What a worker that is told to stop does. */
export interface Leaving {
  /** How long it may take; then it is killed. */
  readonly graceMs: number
  /** Takes no more tasks, and finishes those that run. */
  readonly drain: () => void
  /** Asks what still runs to save what it needs and to end: it goes elsewhere. */
  readonly giveNotice: () => void
  /** So long before the tasks are ended that is said; at most half of the time there is. */
  readonly noticeMs: number
  /** Resolves when everything is finished and acknowledged. */
  readonly drained: Promise<unknown>
  /** Since when nobody could hear what is finished; nothing while somebody can. */
  readonly unlinkedSinceMs: () => number | undefined
  /** Gets what shortens the grace, to so many milliseconds from then on. */
  readonly hastened?: (hasten: (graceMs: number) => void) => void
  readonly stopTasks: () => Promise<void>
  readonly sayGoodbye: () => Promise<void>
}

/** What is kept of the grace for ending what runs, saying goodbye and closing. */
const marginMs = 2_500
/** A worker that cannot reach its scheduler for longer finishes its tasks for nobody. */
const mostUnlinkedMs = 1_000
const lookMs = 100
/** A thread that is in native code ends with the process. */
const stopTasksMs = 500

/**
 * Leaves in order: finishes what runs within the grace, tells what does not finish ahead of its end, ends the rest, and always
 * says goodbye, so that what it could not finish is queued again at once and charged to nobody.
 */
export async function leaveInOrder(leaving: Leaving): Promise<void> {
  const { drain, drained, stopTasks, sayGoodbye } = leaving
  drain()
  const waiting = startWaiting(leaving)
  leaving.hastened?.(waiting.hasten)
  await Promise.race([drained, waiting.over])
  waiting.stop()
  const ending = stopTasks()
  const given = startWaiting({ graceMs: 2 * stopTasksMs, noticeMs: 0, giveNotice: nothing, unlinkedSinceMs: nothing })
  await Promise.race([ending, given.over])
  given.stop()
  await sayGoodbye()
}

interface Waiting {
  readonly over: Promise<void>
  readonly hasten: (graceMs: number) => void
  stop(): void
}

/** Waits for the end of the grace, tells tasks ahead of it, and sees when nobody could hear them any more. */
function startWaiting(leaving: Pick<Leaving, 'graceMs' | 'noticeMs' | 'giveNotice' | 'unlinkedSinceMs'>): Waiting {
  let finish!: () => void
  const over = new Promise<void>((resolve) => (finish = resolve))
  let endsAtMs = Infinity
  let noticeAtMs = Infinity
  let wasGiven = false
  const shorten = (graceMs: number): void => {
    const mostMs = Math.max(graceMs - marginMs, graceMs / 2)
    const nowMs = Date.now()
    if (nowMs + mostMs >= endsAtMs) return
    endsAtMs = nowMs + mostMs
    noticeAtMs = endsAtMs - Math.min(leaving.noticeMs, mostMs / 2)
  }
  shorten(leaving.graceMs)
  const timer = setInterval(() => {
    const nowMs = Date.now()
    if (!wasGiven && nowMs >= noticeAtMs) {
      wasGiven = true
      leaving.giveNotice()
    }
    const since = leaving.unlinkedSinceMs()
    if (nowMs >= endsAtMs || (since !== undefined && nowMs - since > mostUnlinkedMs)) finish()
  }, lookMs)
  return { over, hasten: shorten, stop: () => clearInterval(timer) }
}

function nothing(): undefined {
  return undefined
}
