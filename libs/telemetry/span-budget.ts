/** Says which tasks get full spans, before a span object exists. */
export interface SpanBudget {
  /** Whether a task that comes up at this time (epoch or monotonic ms, the same clock at each call) gets its own spans. */
  admit(nowMs: number): boolean
}

/**
 * A token bucket that holds one second's worth of tasks, so that a job of a few hundred tasks is traced whole and a flood of
 * them costs nothing beyond the rate. `tasksPerSecond` is 200 unless told: 0 admits none, Infinity all.
 * Throws RangeError when it is negative or not a number.
 */
export function createSpanBudget(options: { tasksPerSecond?: number } = {}): SpanBudget {
  const { tasksPerSecond = 200 } = options
  if (!(tasksPerSecond >= 0)) {
    throw new RangeError(`tasksPerSecond is ${tasksPerSecond}: give a rate of 0 or more (Infinity traces every task)`)
  }
  if (tasksPerSecond === Infinity) return { admit: () => true }
  let tokens = tasksPerSecond
  let lastMs: number | undefined

  return {
    admit(nowMs) {
      // A clock that was set back must not take tokens away, nor hand them out twice.
      const elapsedMs = Math.max(0, nowMs - (lastMs ?? nowMs))
      lastMs = Math.max(lastMs ?? nowMs, nowMs)
      tokens = Math.min(tasksPerSecond, tokens + (elapsedMs / 1000) * tasksPerSecond)
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
  }
}
