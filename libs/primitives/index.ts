export { distributeComputation } from './distribute-computation.js'
export {
  type FailedInput,
  faultTolerantMap,
  type FaultTolerantMapOptions,
  type FaultTolerantMapResult,
} from './fault-tolerant-map.js'
export {
  type Estimate,
  monteCarlo,
  type MonteCarloOptions,
  type MonteCarloProgress,
  type MonteCarloResult,
} from './monte-carlo.js'
export { type Combination, parameterGrid, type ParameterValues, type Spaced } from './parameter-grid.js'
export {
  parameterSweep,
  type ParameterSweepOptions,
  type ParameterSweepResult,
  type SweepPoint,
} from './parameter-sweep.js'
export type { Sample } from './sample-batch.js'
export type { RunOptions, RunProgress } from './run.js'
export type { MemoOptions } from './memo.js'
export type { MemoizeOptions } from './start-memoized.js'
export { aggregateStatistics, type Statistics } from './statistics.js'
export {
  type ReducibleData,
  scatterGatherReduction,
  type ScatterGatherReductionOptions,
} from './scatter-gather-reduction.js'
export { checkpointComputation, type CheckpointComputationOptions } from './checkpoint-computation.js'
export { pipeline, type PipelineOptions, type PipelineResult } from './pipeline.js'
export type { NamedStage, PipelineStage } from './stage-plan.js'
export {
  type CrossValidationOptions,
  type CrossValidationResult,
  distributedCrossValidation,
  type FoldResult,
} from './cross-validation.js'
export type { Dataset, LabelledRows } from './dataset.js'
export { divideRows, type Fold, type FoldOptions } from './folds.js'
export {
  distributedOptimization,
  type EarlyStop,
  type Evaluation,
  type OptimizationOptions,
  type OptimizationProgress,
  type OptimizationResult,
  type Ranges,
} from './distributed-optimization.js'
export { type SearchMethod, searchMethods } from './search/methods.js'
export type { Category, NumberRange, ParameterRange, ParametersOf } from './search/parameter-space.js'
export type { HalvingOptions } from './search/successive-halving.js'
export type { SearchEnd } from './search-record.js'
export { haltonPoints } from './sampling/halton.js'
export { latinHypercube } from './sampling/latin-hypercube.js'
export { sobolPoints, type SobolOptions } from './sampling/sobol.js'
export { combinePredictions, ensembleTrain, type EnsembleTrainOptions } from './ensemble.js'
export { polynomialChaos, type PolynomialChaosOptions, type PolynomialChaosResult } from './polynomial-chaos.js'
export type { ChaosExpansion } from './chaos/expansion.js'
export type { RandomInput } from './chaos/random-input.js'
