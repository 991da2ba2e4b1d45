export { Expression, type ExpressionLike } from './expression.js'
export { denseMatrix } from './dense-matrix.js'
export { solveQuadraticProgram, type ExplainedSolution, type QuadraticProgram } from './quadratic-program.js'
export type { QuadraticSolution, QuadraticStatus } from './interior-point.js'
export { defineProblem, type Bounds, type Constraint, type FreeHorizon, type OptimalControlProblem } from './problem.js'
export { solveOptimalControl, type IterationState, type Solution, type SolveOptions } from './optimal-control.js'
export type { Refinement } from './mesh-refinement.js'
export type { IterationInfo } from './sequential-quadratic.js'
export { guessRandom, guessStraight, type Guess, type GuessFunction } from './trajectory.js'
export { defineDiscreteProblem, rungeKuttaStep, type DiscreteProblem } from './discrete-problem.js'
export {
  solveDynamicProgram,
  type PolicyOptions,
  type PolicySolution,
  type PolicyState,
} from './dynamic-programming.js'
export { createLinearMpc, type LinearMpc, type LinearMpcProblem, type MpcPlan } from './linear-mpc.js'
export {
  createRecedingHorizon,
  type RecedingHorizon,
  type RecedingHorizonOptions,
  type RecedingStep,
} from './receding-horizon.js'
export { solveContinuousRiccati, solveDiscreteRiccati, type LinearQuadratic, type RiccatiSolution } from './riccati.js'
export type { Eigenvalue } from './modes.js'
export { solveFiniteHorizonLqr, type FiniteHorizonGains, type FiniteHorizonProblem } from './lqr.js'
export { solveContinuousLyapunov, solveDiscreteLyapunov } from './lyapunov.js'
export { discretizeLinear, exponentiate, type DiscreteSystem } from './matrix-exponential.js'
export {
  predictBelief,
  solveSteadyFilter,
  updateBelief,
  type Belief,
  type ObservedSystem,
  type SteadyFilter,
  type UpdatedBelief,
} from './kalman.js'
export { integrateFixed, type Rates, type Trajectory } from './integration.js'
export {
  integrateAdaptive,
  type AdaptiveOptions,
  type AdaptiveTrajectory,
  type EventFunction,
  type FoundEvent,
} from './adaptive-integration.js'
export type { PublishedProblem } from './problems/published.js'
export { brysonDenham, brysonDenhamExact } from './problems/bryson-denham.js'
export { vanDerPol } from './problems/van-der-pol.js'
export { rayleigh } from './problems/rayleigh.js'
