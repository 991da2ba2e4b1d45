import { projectSemidefinite } from './convexification.js'
import type { KktStructure } from './kkt-system.js'
import { createMesh, type Mesh } from './mesh.js'
import type { CollocationScheme } from './collocation.js'
import type { Model } from './model.js'
import type { Derivatives, NonlinearProgram } from './nonlinear-program.js'
import {
  arrangeDefects,
  arrangeOrder,
  arrangePoints,
  type DefectEntries,
  type PointEntries,
} from './trajectory-structure.js'
import { mapVariables, type VariableMap } from './variable-map.js'

/**
 * An optimal-control problem as a nonlinear program over states and controls at all points of a mesh (direct transcription;
 * Betts, Practical Methods for Optimal Control, 2nd ed. 2010, ch. 4; Kelly, SIAM Review 59 (2017) 849). Full arrays hold the
 * components of all points, float64[points, s], s = n + m, states first; z holds the free ones of them.
 */
export class Transcription implements NonlinearProgram {
  readonly mesh: Mesh
  readonly structure: KktStructure
  readonly lower: Float64Array
  readonly upper: Float64Array
  readonly #map: VariableMap
  readonly #defects: DefectEntries
  readonly #points: PointEntries
  readonly #size: number
  readonly #full: Float64Array
  /** f at all points, float64[points, n]. */
  readonly #slopes: Float64Array
  /** ∂f/∂(x,u) at all points, float64[points, n, s]. */
  readonly #slopeJacobians: Float64Array
  /** Lower triangles of the Lagrangian's Hessian at all points, float64[points, s (s + 1) / 2]. */
  readonly #blocks: Float64Array
  readonly #pointMultipliers: Float64Array

  constructor(
    private readonly model: Model,
    scheme: CollocationScheme,
    intervals: number,
  ) {
    const n = model.stateCount
    const s = n + model.controlCount
    this.#size = s
    this.mesh = createMesh(scheme, intervals, model.horizon)
    this.#map = mapVariables(model, this.mesh)
    this.#defects = arrangeDefects(model, this.mesh, this.#map)
    this.#points = arrangePoints(s, this.mesh, this.#map)
    this.structure = {
      variables: this.#map.count,
      equalities: intervals * scheme.defects.length * n,
      hessian: this.#points.pattern,
      jacobian: this.#defects.pattern,
      order: arrangeOrder(n, s, this.mesh, this.#map),
    }
    this.lower = this.#map.lower
    this.upper = this.#map.upper
    const points = this.mesh.times.length
    this.#full = this.#map.fixed.slice()
    this.#slopes = new Float64Array(points * n)
    this.#slopeJacobians = new Float64Array(points * n * s)
    this.#blocks = new Float64Array((points * s * (s + 1)) / 2)
    this.#pointMultipliers = new Float64Array(points * n)
  }

  /** Why no trajectory can meet the ends and the bounds, if that shows without solving. */
  get contradiction(): string | undefined {
    return this.#map.contradiction
  }

  /** The free components of a full array. */
  compress(full: Float64Array): Float64Array {
    return Float64Array.from(this.#map.componentOf, (component) => full[component]!)
  }

  /** All components, with the fixed ones filled in. */
  expand(z: Float64Array): Float64Array {
    const full = this.#map.fixed.slice()
    this.#map.componentOf.forEach((component, i) => (full[component] = z[i]!))
    return full
  }

  evaluate(z: Float64Array, constraints: Float64Array): number {
    this.#load(z)
    const { stateCount: n, values, terminalValue } = this.model
    const { times, weights } = this.mesh
    const s = this.#size
    let cost = 0
    for (let point = 0; point < times.length; point++) {
      this.#readPoint(values.input, point)
      values.run()
      for (let i = 0; i < n; i++) this.#slopes[point * n + i] = values.output[i]!
      cost += weights[point]! * values.output[n]!
    }
    this.#computeDefects(constraints)
    const end = (times.length - 1) * s
    terminalValue.input.set(this.#full.subarray(end, end + n))
    terminalValue.input[n] = this.model.horizon
    terminalValue.run()
    return cost + terminalValue.output[0]!
  }

  differentiate(z: Float64Array, multipliers: Float64Array, out: Derivatives): void {
    this.#load(z)
    this.#collectPointMultipliers(multipliers)
    const { stateCount: n, derivatives } = this.model
    const { times, weights } = this.mesh
    const s = this.#size
    const triangle = (s * (s + 1)) / 2
    for (let point = 0; point < times.length; point++) {
      this.#readPoint(derivatives.input, point)
      for (let i = 0; i < n; i++) derivatives.input[s + 1 + i] = this.#pointMultipliers[point * n + i]!
      derivatives.input[s + 1 + n] = weights[point]!
      derivatives.run()
      const { output } = derivatives
      this.#slopeJacobians.set(output.subarray(0, n * s), point * n * s)
      this.#blocks.set(output.subarray(n * s + s), point * triangle)
      for (let i = 0; i < s; i++) {
        const variable = this.#map.variableOf[point * s + i]!
        if (variable >= 0) out.gradient[variable] = weights[point]! * output[n * s + i]!
      }
    }
    this.#addTerminalCost(out.gradient)
    const { constant, scale, source } = this.#defects
    for (let e = 0; e < constant.length; e++) {
      out.jacobian[e] = constant[e]! + scale[e]! * this.#slopeJacobians[source[e]!]!
    }
    this.#writeHessian(out.hessian)
  }

  convexify(hessian: Float64Array): void {
    const triangle = (this.#size * (this.#size + 1)) / 2
    for (let point = 0; point < this.mesh.times.length; point++) {
      projectSemidefinite(this.#blocks.subarray(point * triangle, (point + 1) * triangle), this.#size)
    }
    this.#writeHessian(hessian)
  }

  /**
   * The costates p that the multipliers of the defects stand for, so that ∂w/∂u + pᵀ∂f/∂u = 0 at every point whose
   * controls are inside their bounds: float64[points, n], p ≈ ∂J/∂x; second order in the step.
   */
  costates(multipliers: Float64Array): Float64Array {
    const n = this.model.stateCount
    this.#collectPointMultipliers(multipliers)
    return this.#pointMultipliers.map((value, at) => value / this.mesh.weights[Math.floor(at / n)]!)
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
    const { intervals, step } = this.mesh
    const { defects, offsets } = this.mesh.scheme
    let row = 0
    for (let k = 0; k < intervals; k++) {
      const first = k * (offsets.length - 1)
      for (const { state, slope } of defects) {
        for (let i = 0; i < n; i++) {
          let sum = 0
          for (let j = 0; j < offsets.length; j++) {
            const point = first + j
            sum += state[j]! * this.#full[point * s + i]! + step * slope[j]! * this.#slopes[point * n + i]!
          }
          constraints[row++] = sum
        }
      }
    }
  }

  /** By how much the Lagrangian f - λᵀc grows with each slope: what the second derivatives of f are weighed with. */
  #collectPointMultipliers(multipliers: Float64Array): void {
    const n = this.model.stateCount
    const { intervals, step } = this.mesh
    const { defects, offsets } = this.mesh.scheme
    const sums = this.#pointMultipliers.fill(0)
    let row = 0
    for (let k = 0; k < intervals; k++) {
      const first = k * (offsets.length - 1)
      for (const { slope } of defects) {
        for (let i = 0; i < n; i++, row++) {
          for (let j = 0; j < offsets.length; j++) {
            const at = (first + j) * n + i
            sums[at] = sums[at]! - step * slope[j]! * multipliers[row]!
          }
        }
      }
    }
  }

  #addTerminalCost(gradient: Float64Array): void {
    const { stateCount: n, terminalDerivatives: tape } = this.model
    const s = this.#size
    const last = this.mesh.times.length - 1
    tape.input.set(this.#full.subarray(last * s, last * s + n))
    tape.input[n] = this.model.horizon
    tape.run()
    for (let i = 0; i < n; i++) {
      const variable = this.#map.variableOf[last * s + i]!
      if (variable >= 0) gradient[variable] = gradient[variable]! + tape.output[i]!
    }
    // The states come first, so their triangle is the first part of the block's.
    const start = (last * s * (s + 1)) / 2
    for (let e = 0; e < (n * (n + 1)) / 2; e++) this.#blocks[start + e] = this.#blocks[start + e]! + tape.output[n + e]!
  }

  #writeHessian(hessian: Float64Array): void {
    const { source } = this.#points
    for (let e = 0; e < source.length; e++) hessian[e] = this.#blocks[source[e]!]!
  }
}
