import type { NonlinearProgram } from './nonlinear-program.js'

/** Which equation is missed by most, and by how much, in one sentence. */
export function describeViolation(program: NonlinearProgram, constraints: Float64Array): string {
  let worst = 0
  constraints.forEach((value, row) => {
    if (!(Math.abs(value) <= Math.abs(constraints[worst]!))) worst = row
  })
  const miss = Math.abs(constraints[worst] ?? 0).toExponential(2)
  const which = program.describe?.(worst) ?? `equation ${worst}`
  return (
    'infeasible: nothing near here meets the dynamics, the end values and the bounds together; ' +
    `${which} is missed by ${miss}, more than any other`
  )
}
