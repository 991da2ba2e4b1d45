import { formatBytes } from '#libs/domain'

import type { WorkerStatus } from './mesh-status.js'
import { paintOfState } from './states.js'
import type { Column } from './table.js'

/** How full a worker's memory may be before that stands out. */
const fullShare = 0.8

/** What is shown of workers. */
export const workerColumns: readonly Column<WorkerStatus>[] = [
  { title: 'WORKER', show: ({ workerId }) => workerId },
  { title: 'STATE', show: ({ state }) => state, paint: ({ state }) => paintOfState(state) },
  { title: 'HOST', show: ({ host }) => host, isCut: true },
  { title: 'PID', show: ({ pid }) => pid, isExtra: true },
  { title: 'SLOTS', show: ({ slots }) => slots },
  { title: 'TASKS', show: ({ assignedTasks }) => assignedTasks },
  { title: 'OBJECTS', show: ({ heldObjects }) => heldObjects, isExtra: true },
  { title: 'HELD', show: ({ heldBytes }) => formatBytes(heldBytes), isExtra: true },
  { title: 'SPILLED', show: ({ spilledBytes }) => formatBytes(spilledBytes), isExtra: true },
  {
    title: 'MEMORY',
    show: ({ rssBytes }) => formatBytes(rssBytes),
    paint: ({ rssBytes, memoryLimitBytes: limit }) => (limit > 0 && rssBytes > fullShare * limit ? 'red' : undefined),
  },
  {
    title: 'PEAK',
    show: ({ peakRssBytes }) => (peakRssBytes > 0 ? formatBytes(peakRssBytes) : ''),
    isExtra: true,
  },
  { title: 'LIMIT', show: ({ memoryLimitBytes }) => (memoryLimitBytes > 0 ? formatBytes(memoryLimitBytes) : 'none') },
]
