import type { Row } from '../row.js'
import { bulkRows } from './bulk.js'
import { clusterStartRows } from './cluster-start.js'
import { noopMapRows } from './noop-map.js'
import { roundtripRows } from './roundtrip.js'
import { workerProcessRows } from './worker-process.js'

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  ...noopMapRows,
  ...roundtripRows,
  ...bulkRows,
  ...clusterStartRows,
  ...workerProcessRows,
]
