import type { Out } from './effect.js'
import { awaitInputs } from './inputs.js'
import { attemptOf } from './lookup.js'
import { vacateSlot } from './slots.js'
import type { State, Task } from './state.js'

/**
 * The task has left its worker, or failed there: what was sent ahead behind it is taken back, not started and charged to nobody,
 * and so is what was sent behind that.
 */
// A loop over a list rather than recursion: a chain may be long.
export function takeBackFollowers(state: State, task: Task, atMs: number, out: Out): void {
  const open = [task]
  for (let input = open.pop(); input !== undefined; input = open.pop()) {
    for (const dependent of input.dependents ?? []) {
      const { status } = dependent
      if ((status.kind !== 'assigned' && status.kind !== 'running') || !status.behind.includes(input)) continue
      const attempt = attemptOf(dependent, status)
      out.effects.push({
        kind: 'cancelAttempt',
        workerId: status.workerId,
        attempt,
        reason: 'its input is not made here',
      })
      vacateSlot(state, dependent)
      awaitInputs(state, dependent, atMs, out)
      open.push(dependent)
    }
  }
}
