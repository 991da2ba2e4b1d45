import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix'

import { joinBlocks } from './dense-matrix.js'

export interface Eigenvalue {
  readonly real: number
  readonly imaginary: number
}

export function eigenvaluesOf(matrix: Matrix): Eigenvalue[] {
  const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(matrix)
  return realEigenvalues.map((real, i) => ({ real, imaginary: imaginaryEigenvalues[i]! }))
}

const UNREACHED = 1e-8
const MARGIN = 1e-8

/**
 * Why a Riccati equation has no stabilising solution, by the test of Popov, Belevitch and Hautus on the modes of A: one that is
 * not stable and that no input reaches, or one on the border that no weight sees.
 */
export function blameMode(kind: 'continuous' | 'discrete', a: Matrix, b: Matrix, q: Matrix): Error {
  const growth = ({ real, imaginary }: Eigenvalue): number =>
    kind === 'continuous' ? real : Math.hypot(real, imaginary) - 1
  const modes = eigenvaluesOf(a)
  const unreached = modes.find((mode) => growth(mode) >= -MARGIN && !spans(a, b, mode))
  const unseen = modes.find((mode) => Math.abs(growth(mode)) <= MARGIN && !spans(a.transpose(), q, mode))
  const name = ({ real, imaginary }: Eigenvalue): string =>
    imaginary === 0 ? real.toPrecision(4) : `${real.toPrecision(4)} ± ${Math.abs(imaginary).toPrecision(4)}i`
  const border = kind === 'continuous' ? 'the imaginary axis' : 'the unit circle'
  const why =
    unreached !== undefined
      ? `the mode ${name(unreached)} of A is not stable and no input in B reaches it`
      : unseen !== undefined
        ? `the mode ${name(unseen)} of A lies on ${border} and no weight in Q sees it`
        : `its closed loop would have eigenvalues on ${border}; weigh the states or the controls more`
  return new Error(`the ${kind} Riccati equation has no stabilising solution: ${why}`)
}

/** Whether [λI - A, B] has full rank, written with real numbers. */
function spans(a: Matrix, b: Matrix, { real, imaginary }: Eigenvalue): boolean {
  const n = a.rows
  const diagonal = Matrix.sub(Matrix.eye(n).mul(real), a)
  const turn = Matrix.eye(n).mul(imaginary)
  const shifted = joinBlocks(diagonal, Matrix.mul(turn, -1), turn, diagonal)
  const zero = Matrix.zeros(n, b.columns)
  const wide = Matrix.zeros(2 * n, 2 * n + 2 * b.columns)
  wide.setSubMatrix(shifted, 0, 0).setSubMatrix(joinBlocks(b, zero, zero, b), 0, 2 * n)
  const { diagonal: sizes } = new SingularValueDecomposition(wide.transpose())
  return Math.min(...sizes.slice(0, 2 * n)) > UNREACHED * (1 + a.norm() + b.norm())
}
