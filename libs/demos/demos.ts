import { completeWorkflow } from './complete-workflow/demo.js'
import type { Demo } from './demo/demo.js'
import { faultTolerance } from './fault-tolerance/demo.js'
import { hyperparameterOptimisation } from './hyperparameter-optimisation/demo.js'
import { localCluster } from './local-cluster/demo.js'
import { mapReduce } from './map-reduce/demo.js'
import { parallelComputation } from './parallel-computation/demo.js'
import { signalPipeline } from './pipeline/demo.js'

/** In the order in which they build on each other. */
export const demos: readonly Demo[] = [
  ...[localCluster, parallelComputation, hyperparameterOptimisation],
  ...[signalPipeline, mapReduce, faultTolerance, completeWorkflow],
]
