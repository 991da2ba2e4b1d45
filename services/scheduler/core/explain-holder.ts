import { formatBytes, formatDuration } from '#libs/domain'

import { isLive } from './holder-lines.js'
import { slotFreeMsOf } from './slot-free.js'
import type { State, Task } from './state.js'

/** For whose slot a task waits that is not in the queue; nothing when it is. */
export function describeHolderWait(state: State, task: Task, atMs: number): string | undefined {
  for (const [holder, waits] of state.holderLines.lines()) {
    let aheadMs = 0
    for (const wait of waits) {
      if (!isLive(wait)) continue
      if (wait.task === task) {
        const freeMs = slotFreeMsOf(state, holder, aheadMs, atMs)
        const free =
          freeMs === Infinity
            ? 'when its slot is free is not known'
            : `its slot is free in about ${formatDuration(freeMs)}`
        const { workerId, host } = holder.profile
        const left = formatDuration(Math.max(0, wait.untilMs - atMs))
        return (
          `waits for worker ${workerId} (${host}), which holds ${formatBytes(wait.heldBytes)} of its inputs: moving them takes ` +
          `${formatDuration(wait.moveMs)}, ${free}; in ${left} at most it goes where there is room`
        )
      }
      aheadMs += wait.runMs ?? Infinity
    }
  }
  return undefined
}
