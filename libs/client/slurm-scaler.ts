import { writeFile } from 'node:fs/promises'

import type { ProvisionerServiceDefinition } from '#libs/proto'
import type { RpcClient } from '#libs/rpc'

import type { Scaler } from './mesh-cluster.js'
import { checkBounds, poolName, poolsFileOf, type SlurmClusterOptions } from './slurm-options.js'

/** What the scaler asks of the provisioner. */
export type PoolSteering = Pick<RpcClient<typeof ProvisionerServiceDefinition>, 'scalePool' | 'listPools'>

/** What the scaler needs to know of the cluster. */
export interface SlurmWorkers {
  readonly options: SlurmClusterOptions
  readonly poolsFile: string
  readonly logsDir: string
  /** Ends what the cluster is made of. */
  end(): Promise<void>
}

/** Leaves the number of workers to the provisioner, which hears the demand itself. */
export function createSlurmScaler(provisioner: PoolSteering, workers: SlurmWorkers): Scaler {
  let isClosed = false
  return {
    scale: async (count) => {
      checkBounds({ minimum: count, maximum: count })
      await provisioner.scalePool({ pool: poolName, workers: count })
    },
    adapt: (bounds) => {
      checkBounds(bounds)
      // The file first: the provisioner reads it again when it is asked.
      void writeFile(workers.poolsFile, poolsFileOf(workers.options, bounds), { mode: 0o600 })
        .then(() => provisioner.scalePool({ pool: poolName }))
        .catch(() => undefined)
    },
    describeTroubles: async () => {
      const { pools, queueProblem } = await provisioner.listPools({})
      const [pool] = pools
      const queue = queueProblem === '' ? '' : ` SLURM's queue cannot be seen: ${queueProblem}.`
      return `${pool?.explanation ?? ''}${queue} See the output of the jobs in ${workers.logsDir}`
    },
    close: async () => {
      if (isClosed) return
      isClosed = true
      await workers.end()
    },
  }
}
