import type { OptimalControlProblem } from '../problem.js'

/** A problem from the literature. A solver is given `problem`, never `published`. */
export interface PublishedProblem {
  readonly problem: OptimalControlProblem
  /** Enough equal intervals for the cost to come out within the published tolerance. */
  readonly intervals: number
  readonly published: {
    /** The optimal cost. */
    readonly objective: number
    /** How closely a solver should come to it. */
    readonly relativeTolerance: number
    readonly source: string
  }
}
