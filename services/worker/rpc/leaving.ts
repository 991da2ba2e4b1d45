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
  const { graceMs, drain, drained, stopTasks, sayGoodbye } = leaving
  drain()
  const mostMs = Math.max(graceMs - marginMs, graceMs / 2)
  const notice = setTimeout(leaving.giveNotice, mostMs - Math.min(leaving.noticeMs, mostMs / 2))
  const waiting = startWaiting(mostMs, leaving.unlinkedSinceMs)
  await Promise.race([drained, waiting.over])
  waiting.stop()
  clearTimeout(notice)
  const ending = stopTasks()
  const given = startWaiting(stopTasksMs, () => undefined)
  await Promise.race([ending, given.over])
  given.stop()
  await sayGoodbye()
}

function startWaiting(
  mostMs: number,
  unlinkedSinceMs: () => number | undefined,
): { readonly over: Promise<void>; stop(): void } {
  let finish!: () => void
  const over = new Promise<void>((resolve) => (finish = resolve))
  const startedAtMs = Date.now()
  const timer = setInterval(() => {
    const nowMs = Date.now()
    const since = unlinkedSinceMs()
    if (nowMs - startedAtMs >= mostMs || (since !== undefined && nowMs - since > mostUnlinkedMs)) finish()
  }, lookMs)
  return { over, stop: () => clearInterval(timer) }
}
