import type { State } from '../../services/scheduler/core/state.js'

import { taskIdIn } from './workload.js'

/** Late by more than a tick and a review. */
const lateMs = 500

/** Nobody waits for the holder of its inputs longer than it may, while another worker has a slot free. */
export class HolderWaitCheck {
  #reviewedAtMs = -Infinity
  #late: readonly string[] = []

  /**
   * A slot that came free since those waits were looked at is theirs the next time: late is who still waits then.
   * @throws who does.
   */
  check(state: State, nowMs: number): void {
    const { reviewedAtMs } = state.holderLines
    const isMissed = nowMs > reviewedAtMs + lateMs
    if (!isMissed && reviewedAtMs === this.#reviewedAtMs) return
    const late = listLate(state, nowMs)
    const still = late.find((taskId) => isMissed || this.#late.includes(taskId))
    if (still !== undefined) throw new Error(`${still} waits for its holder, and a slot is free`)
    this.#reviewedAtMs = reviewedAtMs
    this.#late = late
  }
}

function listLate({ holderLines, vacancies }: State, nowMs: number): string[] {
  const idle = vacancies.best(undefined)
  // One that is about to end may be left to shorter tasks.
  if (holderLines.size === 0 || idle === undefined || idle.profile.endsAtMs !== undefined) return []
  const late = [...holderLines.values()].filter(({ untilMs }) => nowMs > untilMs + lateMs)
  return late.map(({ task }) => taskIdIn(task.job.spec.jobId, task.index))
}
