import { mapReduceWorkloads } from './map-reduce.js'
import { optimisationWorkloads } from './optimisation.js'
import { samplingWorkloads } from './sampling.js'
import { uncertaintyWorkloads } from './uncertainty.js'
import { validationWorkloads } from './validation.js'
import type { Workload } from './workload.js'

/** What is computed so far, in the order of the answers' file. */
export const workloads: readonly Workload[] = [
  ...samplingWorkloads,
  ...uncertaintyWorkloads,
  ...optimisationWorkloads,
  ...validationWorkloads,
  ...mapReduceWorkloads,
]
