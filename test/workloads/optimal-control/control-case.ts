import type { OptimalControlProblem, SolveOptions } from 'costate/control'

/** A problem of the collection and how finely it is solved. */
export interface ControlCase {
  readonly problem: OptimalControlProblem
  readonly options: SolveOptions
}
