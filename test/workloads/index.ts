import { aggregationWorkloads } from './aggregation.js'
import { gridWorkloads } from './grids.js'
import { linearAlgebraWorkloads } from './linear-algebra.js'
import { mapReduceWorkloads } from './map-reduce.js'
import { networkWorkloads } from './networks.js'
import { numberTheoryWorkloads } from './number-theory.js'
import { controlWorkloads } from './optimal-control/answers.js'
import { optimisationWorkloads } from './optimisation.js'
import { randomModelWorkloads } from './random-models.js'
import { randomNumberWorkloads } from './random-numbers.js'
import { regressionWorkloads } from './regression.js'
import { regulatorWorkloads } from './regulators.js'
import { samplingWorkloads } from './sampling.js'
import { simulationWorkloads } from './simulation.js'
import { standardFunctionWorkloads } from './standard-functions.js'
import { streamWorkloads } from './streams.js'
import { taskGraphWorkloads } from './task-graphs.js'
import { uncertaintyWorkloads } from './uncertainty.js'
import { validationWorkloads } from './validation.js'
import type { Workload } from './workload.js'

/** All of the collection, in the order of the answers' file. */
export const workloads: readonly Workload[] = [
  ...controlWorkloads,
  ...regulatorWorkloads,
  ...samplingWorkloads,
  ...randomNumberWorkloads,
  ...uncertaintyWorkloads,
  ...randomModelWorkloads,
  ...optimisationWorkloads,
  ...standardFunctionWorkloads,
  ...validationWorkloads,
  ...regressionWorkloads,
  ...aggregationWorkloads,
  ...numberTheoryWorkloads,
  ...taskGraphWorkloads,
  ...streamWorkloads,
  ...mapReduceWorkloads,
  ...networkWorkloads,
  ...linearAlgebraWorkloads,
  ...gridWorkloads,
  ...simulationWorkloads,
]
