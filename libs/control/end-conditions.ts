import type { Mesh } from './mesh.js'
import type { Model } from './model.js'
import type { Pattern } from './pattern.js'
import type { VariableMap } from './variable-map.js'

interface Entry {
  readonly row: number
  readonly column: number
  /** Where its value is in the output of the tape. */
  readonly source: number
}

/** What depends on both ends of a trajectory: the boundary conditions, one equation each, and the terminal cost. */
export class EndConditions {
  readonly jacobian: Pattern
  /** Second derivatives by one component of the start and one of the end. */
  readonly cross: Pattern
  readonly #jacobianEntries: readonly Entry[]
  readonly #slackEntries: number
  readonly #crossEntries: readonly Entry[]
  readonly #variables: Int32Array
  readonly #lastComponent: number

  /** @param firstRow the first equation of the boundary conditions. */
  constructor(
    private readonly model: Model,
    mesh: Mesh,
    private readonly map: VariableMap,
    private readonly firstRow: number,
  ) {
    const { stateCount: n, boundary, endDerivatives } = model
    this.#lastComponent = (mesh.times.length - 1) * (n + model.controlCount)
    this.#variables = Int32Array.from({ length: 2 * n }, (_, e) =>
      e < n ? map.variableOf[e]! : map.variableOf[this.#lastComponent + e - n]!,
    )
    const entries = boundary.flatMap((_, i) =>
      Array.from(this.#variables, (column, e): Entry => ({ row: firstRow + i, column, source: i * 2 * n + e })),
    )
    const isThere = ({ column, source }: Entry): boolean => column >= 0 && !endDerivatives.alwaysZero[source]
    this.#jacobianEntries = entries.filter(isThere)
    const slacks = boundary.map((_, i) => ({ row: firstRow + i, column: map.slackOf[i]! }))
    const slackEntries = slacks.filter(({ column }) => column >= 0)
    this.#slackEntries = slackEntries.length
    this.jacobian = toPattern([...this.#jacobianEntries, ...slackEntries])
    this.#crossEntries = Array.from({ length: n * n }, (_, at): Entry => {
      const e = n + Math.floor(at / n)
      const start = boundary.length * 2 * n + 2 * n
      const source = start + (e * (e + 1)) / 2 + (at % n)
      return { row: this.#variables[e]!, column: this.#variables[at % n]!, source }
    }).filter((entry) => entry.row >= 0 && isThere(entry))
    this.cross = toPattern(this.#crossEntries)
  }

  /** Writes the boundary equations into `constraints` and returns φ. */
  evaluate(full: Float64Array, z: Float64Array, constraints: Float64Array): number {
    const { boundary, endValues } = this.model
    this.#read(endValues.input, full)
    endValues.run()
    boundary.forEach(({ lower }, i) => {
      const slack = this.map.slackOf[i]!
      constraints[this.firstRow + i] = endValues.output[i]! - (slack < 0 ? lower : z[slack]!)
    })
    return endValues.output[boundary.length]!
  }

  /**
   * Adds ∇φ to the gradient and second derivatives to the triangles of the first and last point, and writes the rest.
   * @param multipliers λ of all equations, in L = f - λᵀc.
   * @param first, last the lower triangles of these points' blocks, states first.
   */
  differentiate(
    full: Float64Array,
    multipliers: Float64Array,
    out: {
      gradient: Float64Array
      jacobian: Float64Array
      first: Float64Array
      last: Float64Array
      cross: Float64Array
    },
  ): void {
    const { stateCount: n, boundary, endDerivatives: tape } = this.model
    this.#read(tape.input, full)
    for (let i = 0; i < boundary.length; i++) tape.input[2 * n + i] = -multipliers[this.firstRow + i]!
    tape.run()
    const { output } = tape
    const gradientAt = boundary.length * 2 * n
    this.#variables.forEach((variable, e) => {
      if (variable >= 0) out.gradient[variable] = out.gradient[variable]! + output[gradientAt + e]!
    })
    this.#jacobianEntries.forEach(({ source }, e) => (out.jacobian[e] = output[source]!))
    out.jacobian.fill(-1, this.#jacobianEntries.length, this.#jacobianEntries.length + this.#slackEntries)
    this.#crossEntries.forEach(({ source }, e) => (out.cross[e] = output[source]!))
    const triangle = gradientAt + 2 * n
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const at = (i * (i + 1)) / 2 + j
        out.first[at] = out.first[at]! + output[triangle + at]!
        out.last[at] = out.last[at]! + output[triangle + ((n + i) * (n + i + 1)) / 2 + n + j]!
      }
    }
  }

  #read(input: Float64Array, full: Float64Array): void {
    const n = this.model.stateCount
    input.set(full.subarray(0, n))
    input.set(full.subarray(this.#lastComponent, this.#lastComponent + n), n)
  }
}

function toPattern(entries: readonly { readonly row: number; readonly column: number }[]): Pattern {
  return {
    rows: Int32Array.from(entries, ({ row }) => row),
    columns: Int32Array.from(entries, ({ column }) => column),
  }
}
