import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { compare } from '../contest.js'
import { newDaskSide, workers } from '../contestants.js'
import type { Row } from '../row.js'
import { atMostTimes } from '../target.js'

const program = fileURLToPath(new URL('../first-result.mjs', import.meta.url))

/** createLocalCluster to the first result, in a new process each time; on neither side does loading the library count. */
const clusterStart: Row = {
  name: 'cluster-start',
  unit: 's',
  target: atMostTimes(1.5, 'Dask'),
  measure: async (context) => {
    const ours = async (): Promise<number> => {
      const { stdout } = await promisify(execFile)(process.execPath, [program, context.runDir, String(workers)])
      return Number(stdout)
    }
    const theirs = newDaskSide(context, async (dask) => {
      const [seconds = NaN] = await dask.ask('cluster_start', { workers })
      return seconds
    })
    return { cases: [await compare({ warmUps: 1, ours, theirs }, context)] }
  },
}

export const clusterStartRows: readonly Row[] = [clusterStart]
