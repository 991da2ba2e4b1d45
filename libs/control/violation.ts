import type { NonlinearProgram } from './nonlinear-program.js'

/** Why a search ended where it can't be feasible, and which equation is missed by most, and by how much. */
export function describeViolation(program: NonlinearProgram, constraints: Float64Array): string {
  return `infeasible: nothing near here meets the dynamics, the end values and the bounds together; ${describeWorst(program, constraints)}`
}

/** The same for a search that has lost its way. */
export function describeStuck(program: NonlinearProgram, constraints: Float64Array): string {
  return `stuck: no way to a feasible point was found from here; give another guess; ${describeWorst(program, constraints)}`
}

function describeWorst(program: NonlinearProgram, constraints: Float64Array): string {
  let worst = 0
  constraints.forEach((value, row) => {
    if (!(Math.abs(value) <= Math.abs(constraints[worst]!))) worst = row
  })
  const miss = Math.abs(constraints[worst] ?? 0).toExponential(2)
  const which = program.describe?.(worst) ?? `equation ${worst}`
  return `${which} is missed by ${miss}, more than any other`
}
