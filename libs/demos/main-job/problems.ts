import { brysonDenham, rayleigh, vanDerPol, type PublishedProblem } from 'costate/control'

/** One problem of the sweep, small enough to travel: what a task is called with. */
export type SweepProblem =
  | { readonly kind: 'brysonDenham'; readonly stateBound: number }
  | { readonly kind: 'vanDerPol'; readonly horizon: 2 | 5; readonly guess: number }
  | { readonly kind: 'rayleigh'; readonly guess: number }

/** The range of the state bound ℓ: all three regimes of the solution (along the bound, touching it, free of it). */
export const stateBounds = { lowest: 0.04, highest: 0.5 } as const

export const fewestProblems = 6
const nonlinearShare = 1 / 4

/**
 * `count` problems, a quarter of them nonlinear ones that start from random guesses, the rest Bryson–Denham over the state bound
 * ℓ. Steps of ℓ are equal in ratio: the cost goes with 1/ℓ, and tight bounds are what is interesting.
 *
 * Tight bounds come first because they take the longest: a sweep whose long tasks come last leaves slots idle at its end.
 * @throws RangeError when there are too few for every family to be there.
 */
export function listProblems(count: number): SweepProblem[] {
  if (!Number.isInteger(count) || count < fewestProblems) {
    throw new RangeError(`${count} problems make no sweep: give a whole number of at least ${fewestProblems}`)
  }
  const nonlinearCount = Math.max(3, Math.round(count * nonlinearShare))
  const boundCount = count - nonlinearCount
  const ratio = stateBounds.highest / stateBounds.lowest
  const bounded = Array.from({ length: boundCount }, (_, i): SweepProblem => {
    const isLast = i === boundCount - 1
    return {
      kind: 'brysonDenham',
      stateBound: isLast ? stateBounds.highest : stateBounds.lowest * ratio ** (i / (boundCount - 1)),
    }
  })
  const nonlinear = Array.from({ length: nonlinearCount }, (_, i): SweepProblem => {
    const guess = Math.floor(i / 3) + 1
    if (i % 3 === 2) return { kind: 'rayleigh', guess }
    return { kind: 'vanDerPol', horizon: i % 3 === 0 ? 2 : 5, guess }
  })
  return [...bounded, ...nonlinear]
}

/** The problem as the literature states it, with its published answer. Tasks use the statement, the client the answer. */
export function publishedProblemOf(problem: SweepProblem): PublishedProblem {
  switch (problem.kind) {
    case 'brysonDenham':
      return brysonDenham(problem)
    case 'vanDerPol':
      return vanDerPol(problem)
    case 'rayleigh':
      return rayleigh()
    default:
      return problem satisfies never
  }
}
