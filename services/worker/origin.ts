import { randomUUID } from 'node:crypto'

import type { WorkerId } from '#libs/domain'
import { type PredecessorEnd, readSupervised } from '#libs/lifecycle'

/** Who a worker is, and in whose place it was started. */
export interface WorkerOrigin {
  readonly workerId: WorkerId
  readonly predecessor?: PredecessorEnd
}

/** As its supervisor says it in the environment; by itself it is somebody new. */
export function originOf(env: NodeJS.ProcessEnv): WorkerOrigin {
  const supervised = readSupervised(env)
  const workerId = (supervised?.id ?? `w-${randomUUID().slice(0, 8)}`) as WorkerId
  return supervised?.predecessor ? { workerId, predecessor: supervised.predecessor } : { workerId }
}
