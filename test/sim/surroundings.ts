import type { WorkerId } from '#libs/domain'

import type { SimulatedScheduler } from './simulated-scheduler.js'
import type { SimulatedWorker } from './simulated-worker.js'
import type { Workload } from './workload.js'
import type { World } from './world.js'

/** What the workers of a simulation share: the mesh that they are in. */
export interface Surroundings {
  readonly world: World
  readonly workload: Workload
  readonly scheduler: SimulatedScheduler
  readonly workers: Map<WorkerId, SimulatedWorker>
  /** What the checkpoint-store has, by its name there. */
  readonly archives: Map<string, number>
  /** While true things go wrong by themselves. */
  readonly isStormy: () => boolean
}
