import { projectSemidefinite } from './convexification.js'
import type { CollocationScheme } from './collocation.js'
import { EndConditions } from './end-conditions.js'
import type { KktStructure } from './kkt-system.js'
import { createMesh, type Mesh } from './mesh.js'
import type { Model } from './model.js'
import type { Derivatives, NonlinearProgram } from './nonlinear-program.js'
import type { Pattern } from './pattern.js'
import {
  arrangeConstraints,
  arrangeOrder,
  arrangePoints,
  type ConstraintEntries,
  type PointEntries,
} from './trajectory-structure.js'
import { mapVariables, type VariableMap } from './variable-map.js'

/**
 * An optimal-control problem as a nonlinear program over states and controls at all points of a mesh (direct transcription;
 * Betts, Practical Methods for Optimal Control, 2nd ed. 2010, ch. 4; Kelly, SIAM Review 59 (2017) 849). Full arrays hold the
 * components of all points, float64[points, s], s = n + m, states first; z holds the free ones of them and the slacks of
 * boundary conditions. Equations: the defects along time, the path equations of each point, the boundary conditions.
 */
export class Transcription implements NonlinearProgram {
  readonly mesh: Mesh
  readonly structure: KktStructure
  readonly lower: Float64Array
  readonly upper: Float64Array
  readonly #map: VariableMap
  readonly #constraints: ConstraintEntries
  readonly #ends: EndConditions
  readonly #points: PointEntries
  readonly #size: number
  readonly #outputs: number
  readonly #full: Float64Array
  /** f at all points, float64[points, n]. */
  readonly #slopes: Float64Array
  /** ∂(f, path)/∂(x,u) at all points, float64[points, n + p, s]. */
  readonly #jacobians: Float64Array
  /** Lower triangles of the Lagrangian's Hessian at all points, float64[points, s (s + 1) / 2]. */
  readonly #blocks: Float64Array
  readonly #pointMultipliers: Float64Array

  /** @param ends float64[intervals + 1], rising from 0 to 1: where the intervals end, as parts of the horizon. */
  constructor(
    private readonly model: Model,
    scheme: CollocationScheme,
    ends: Float64Array,
  ) {
    const n = model.stateCount
    const s = n + model.controlCount
    this.#size = s
    this.#outputs = n + model.path.length
    this.mesh = createMesh(scheme, ends, model.horizon)
    this.#map = mapVariables(model, this.mesh)
    this.#constraints = arrangeConstraints(model, this.mesh, this.#map)
    this.#points = arrangePoints(s, this.mesh, this.#map)
    const points = this.mesh.times.length
    const firstBoundaryRow = this.#firstPathRow + points * model.path.length
    this.#ends = new EndConditions(model, this.mesh, this.#map, firstBoundaryRow)
    this.structure = {
      variables: this.#map.count,
      equalities: firstBoundaryRow + model.boundary.length,
      hessian: joinPatterns(this.#points.pattern, this.#ends.cross),
      jacobian: joinPatterns(this.#constraints.pattern, this.#ends.jacobian),
      order: arrangeOrder(model, this.mesh, this.#map),
    }
    this.lower = this.#map.lower
    this.upper = this.#map.upper
    this.#full = this.#map.fixed.slice()
    this.#slopes = new Float64Array(points * n)
    this.#jacobians = new Float64Array(points * this.#outputs * s)
    this.#blocks = new Float64Array((points * s * (s + 1)) / 2)
    this.#pointMultipliers = new Float64Array(points * this.#outputs)
  }

  get #firstPathRow(): number {
    return this.mesh.intervals * this.mesh.scheme.defects.length * this.model.stateCount
  }

  /** Why no trajectory can meet the ends and the bounds, if that shows without solving. */
  get contradiction(): string | undefined {
    return this.#map.contradiction
  }

  /** The free components of a full array. Slacks begin at what they are to equal. */
  compress(full: Float64Array): Float64Array {
    const z = new Float64Array(this.#map.count)
    this.#map.componentOf.forEach((component, i) => (z[i] = full[component]!))
    this.#load(z)
    const { stateCount: n, path, values } = this.model
    for (let point = 0; path.length > 0 && point < this.mesh.times.length; point++) {
      this.#readPoint(values.input, point)
      path.forEach(({ slack }) => slack >= 0 && (values.input[slack] = 0))
      values.run()
      path.forEach(({ slack }, i) => {
        const variable = slack < 0 ? -1 : this.#map.variableOf[point * this.#size + slack]!
        if (variable >= 0) z[variable] = values.output[n + i]!
      })
    }
    const equations = new Float64Array(this.structure.equalities)
    this.#ends.evaluate(this.#full, z, equations)
    const firstRow = equations.length - this.model.boundary.length
    this.#map.slackOf.forEach((slack, i) => slack >= 0 && (z[slack] = equations[firstRow + i]!))
    return z
  }

  /** All components, with the fixed ones filled in. */
  expand(z: Float64Array): Float64Array {
    const full = this.#map.fixed.slice()
    this.#map.componentOf.forEach((component, i) => (full[component] = z[i]!))
    return full
  }

  evaluate(z: Float64Array, constraints: Float64Array): number {
    this.#load(z)
    const { stateCount: n, values } = this.model
    const { times, weights } = this.mesh
    const paths = this.model.path.length
    let cost = 0
    for (let point = 0; point < times.length; point++) {
      this.#readPoint(values.input, point)
      values.run()
      for (let i = 0; i < n; i++) this.#slopes[point * n + i] = values.output[i]!
      const row = this.#firstPathRow + point * paths
      for (let i = 0; i < paths; i++) constraints[row + i] = values.output[n + i]!
      cost += weights[point]! * values.output[n + paths]!
    }
    this.#computeDefects(constraints)
    return cost + this.#ends.evaluate(this.#full, z, constraints)
  }

  differentiate(z: Float64Array, multipliers: Float64Array, out: Derivatives): void {
    this.#load(z)
    this.#collectPointMultipliers(multipliers)
    const { derivatives } = this.model
    const { times, weights } = this.mesh
    const s = this.#size
    const rows = this.#outputs
    const triangle = (s * (s + 1)) / 2
    out.gradient.fill(0)
    for (let point = 0; point < times.length; point++) {
      this.#readPoint(derivatives.input, point)
      for (let i = 0; i < rows; i++) derivatives.input[s + 1 + i] = this.#pointMultipliers[point * rows + i]!
      derivatives.input[s + 1 + rows] = weights[point]!
      derivatives.run()
      const { output } = derivatives
      this.#jacobians.set(output.subarray(0, rows * s), point * rows * s)
      this.#blocks.set(output.subarray(rows * s + s), point * triangle)
      for (let i = 0; i < s; i++) {
        const variable = this.#map.variableOf[point * s + i]!
        if (variable >= 0) out.gradient[variable] = weights[point]! * output[rows * s + i]!
      }
    }
    const { constant, scale, source } = this.#constraints
    for (let e = 0; e < constant.length; e++) {
      out.jacobian[e] = constant[e]! + scale[e]! * this.#jacobians[source[e]!]!
    }
    this.#ends.differentiate(this.#full, multipliers, {
      gradient: out.gradient,
      jacobian: out.jacobian.subarray(constant.length),
      first: this.#blocks.subarray(0, triangle),
      last: this.#blocks.subarray((times.length - 1) * triangle),
      cross: out.hessian.subarray(this.#points.source.length),
    })
    this.#writeHessian(out.hessian)
  }

  convexify(hessian: Float64Array): void {
    const triangle = (this.#size * (this.#size + 1)) / 2
    for (let point = 0; point < this.mesh.times.length; point++) {
      projectSemidefinite(this.#blocks.subarray(point * triangle, (point + 1) * triangle), this.#size)
    }
    this.#writeHessian(hessian)
    // Blocks that are semidefinite one by one stay so together only without what couples them.
    hessian.fill(0, this.#points.source.length)
  }

  /** The equation of a row, in words. */
  describe(row: number): string {
    const { stateCount: n, states, path, boundary } = this.model
    const { times, scheme } = this.mesh
    const paths = path.length
    if (row < this.#firstPathRow) {
      const k = Math.floor(row / (scheme.defects.length * n))
      const stride = scheme.offsets.length - 1
      const [from, to] = [times[k * stride]!, times[(k + 1) * stride]!].map((time) => this.#clock(time).toPrecision(4))
      return `the dynamics of ${states[row % n]!} between t = ${from} and t = ${to}`
    }
    if (row < this.#firstPathRow + times.length * paths) {
      const at = row - this.#firstPathRow
      const { name, lower, upper } = path[at % paths]!
      const time = this.#clock(times[Math.floor(at / paths)]!).toPrecision(4)
      return `the path constraint ${name} in [${lower}, ${upper}] at t = ${time}`
    }
    const { name, lower, upper } = boundary[row - this.#firstPathRow - times.length * paths]!
    return `the boundary condition ${name} in [${lower}, ${upper}]`
  }

  /**
   * The costates p that the multipliers of the defects stand for, so that ∂w/∂u + pᵀ∂f/∂u = 0 at every point whose
   * controls are inside their bounds: float64[points, n], p ≈ ∂J/∂x; second order in the step.
   */
  costates(multipliers: Float64Array): Float64Array {
    const n = this.model.stateCount
    this.#collectPointMultipliers(multipliers)
    return Float64Array.from({ length: this.mesh.times.length * n }, (_, at) => {
      const point = Math.floor(at / n)
      return this.#pointMultipliers[point * this.#outputs + (at % n)]! / this.mesh.weights[point]!
    })
  }

  /** The time of the statement. */
  #clock(time: number): number {
    const { horizonState } = this.model
    return horizonState === undefined ? time : time * this.#full[horizonState]!
  }

  #load(z: Float64Array): void {
    const { componentOf } = this.#map
    for (let i = 0; i < componentOf.length; i++) this.#full[componentOf[i]!] = z[i]!
  }

  #readPoint(input: Float64Array, point: number): void {
    const s = this.#size
    for (let i = 0; i < s; i++) input[i] = this.#full[point * s + i]!
    input[s] = this.mesh.times[point]!
  }

  #computeDefects(constraints: Float64Array): void {
    const n = this.model.stateCount
    const s = this.#size
    const { intervals, steps } = this.mesh
    const { defects, offsets } = this.mesh.scheme
    let row = 0
    for (let k = 0; k < intervals; k++) {
      const first = k * (offsets.length - 1)
      for (const { state, slope } of defects) {
        for (let i = 0; i < n; i++) {
          let sum = 0
          for (let j = 0; j < offsets.length; j++) {
            const point = first + j
            sum += state[j]! * this.#full[point * s + i]! + steps[k]! * slope[j]! * this.#slopes[point * n + i]!
          }
          constraints[row++] = sum
        }
      }
    }
  }

  /** By how much the Lagrangian f - λᵀc grows with each slope and path equation: what their second derivatives are weighed with. */
  #collectPointMultipliers(multipliers: Float64Array): void {
    const n = this.model.stateCount
    const { intervals, steps } = this.mesh
    const { defects, offsets } = this.mesh.scheme
    const sums = this.#pointMultipliers.fill(0)
    let row = 0
    for (let k = 0; k < intervals; k++) {
      const first = k * (offsets.length - 1)
      for (const { slope } of defects) {
        for (let i = 0; i < n; i++, row++) {
          for (let j = 0; j < offsets.length; j++) {
            const at = (first + j) * this.#outputs + i
            sums[at] = sums[at]! - steps[k]! * slope[j]! * multipliers[row]!
          }
        }
      }
    }
    const paths = this.model.path.length
    for (let point = 0; point < this.mesh.times.length; point++) {
      for (let i = 0; i < paths; i++)
        sums[point * this.#outputs + n + i] = -multipliers[this.#firstPathRow + point * paths + i]!
    }
  }

  #writeHessian(hessian: Float64Array): void {
    const { source } = this.#points
    for (let e = 0; e < source.length; e++) hessian[e] = this.#blocks[source[e]!]!
  }
}

function joinPatterns(a: Pattern, b: Pattern): Pattern {
  return { rows: join(a.rows, b.rows), columns: join(a.columns, b.columns) }
}

function join(a: Int32Array, b: Int32Array): Int32Array {
  const both = new Int32Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
