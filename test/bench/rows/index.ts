import type { Row } from '../row.js'
import { broadcastRows } from './broadcast.js'
import { bulkRows } from './bulk.js'
import { bulkMemoryRows } from './bulk-memory.js'
import { checkpointRows } from './checkpoints.js'
import { clusterStartRows } from './cluster-start.js'
import { coreRows } from './core.js'
import { graphRows } from './graph.js'
import { networkRows } from './network.js'
import { noopMapRows } from './noop-map.js'
import { primitiveRows } from './primitives.js'
import { queuedTaskMemoryRows } from './queued-task-memory.js'
import { restartRows } from './restart.js'
import { roundtripRows } from './roundtrip.js'
import { slotRows } from './slots.js'
import { slurmRows } from './slurm.js'
import { streamRows } from './stream.js'
import { sweepRows } from './sweep.js'
import { workerLinkRows } from './worker-links.js'
import { workerProcessRows } from './worker-process.js'

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  ...noopMapRows,
  ...queuedTaskMemoryRows,
  ...roundtripRows,
  ...graphRows,
  ...bulkRows,
  ...broadcastRows,
  ...networkRows,
  ...bulkMemoryRows,
  ...checkpointRows,
  ...streamRows,
  ...clusterStartRows,
  ...workerProcessRows,
  ...slotRows,
  ...primitiveRows,
  ...sweepRows,
  ...coreRows,
  ...workerLinkRows,
  ...restartRows,
  ...slurmRows,
]
