import type { ReportTask, ReportWorker } from '../report-data.js'

/** One slot of one worker, with the tasks that ran there. */
export interface Lane {
  readonly name: string
  readonly tasks: ReportTask[]
}

/** A lane for every slot of every worker, busy or not, and for slots that only the tasks know of. */
export function assignLanes(
  workers: readonly ReportWorker[],
  tasks: readonly ReportTask[],
): { lanes: Lane[]; unplaced: ReportTask[] } {
  const lanes = new Map<string, Lane>()
  const unplaced: ReportTask[] = []
  const laneOf = (workerId: string, slot: number, isOnlySlot: boolean) => {
    const key = JSON.stringify([workerId, slot])
    const lane = lanes.get(key) ?? { name: isOnlySlot ? workerId : `${workerId} · ${slot}`, tasks: [] }
    lanes.set(key, lane)
    return lane
  }
  for (const { id, slots } of workers) for (let slot = 0; slot < slots; slot++) laneOf(id, slot, slots === 1)
  for (const task of tasks) {
    const hasRun = task.workerId !== '' && Number.isFinite(task.startMs) && Number.isFinite(task.endMs)
    if (hasRun) laneOf(task.workerId, task.slot, false).tasks.push(task)
    else unplaced.push(task)
  }
  return { lanes: [...lanes.values()], unplaced }
}
