import type { Mesh } from './mesh.js'
import type { Model } from './model.js'

/** Which components of which points are free. A component is at point · s + i in full arrays, s = states + controls. */
export interface VariableMap {
  readonly count: number
  /** int32[points · s]: the variable of each component, -1 where it is fixed. */
  readonly variableOf: Int32Array
  /** int32[count less the slacks of boundary conditions]: the component of each variable. */
  readonly componentOf: Int32Array
  /** float64[points · s]: the values where fixed, 0 elsewhere. */
  readonly fixed: Float64Array
  /** For each boundary condition, the variable that is its slack, behind all components; -1 where it is an equation. */
  readonly slackOf: readonly number[]
  /** float64[count]. */
  readonly lower: Float64Array
  readonly upper: Float64Array
  /** Why no values can meet the ends and the bounds, if so. */
  readonly contradiction: string | undefined
}

export function mapVariables(model: Model, mesh: Mesh): VariableMap {
  const size = model.stateCount + model.controlCount
  const lastPoint = mesh.times.length - 1
  const variableOf = new Int32Array(mesh.times.length * size).fill(-1)
  const fixed = new Float64Array(variableOf.length)
  const componentOf: number[] = []
  let contradiction: string | undefined
  for (let component = 0; component < variableOf.length; component++) {
    const point = Math.floor(component / size)
    const i = component % size
    const lower = model.lower[i]!
    const upper = model.upper[i]!
    const endValue = point === 0 ? model.initial[i] : point === lastPoint ? model.final[i] : undefined
    const value = endValue ?? (lower === upper ? lower : undefined)
    if (value === undefined) variableOf[component] = componentOf.push(component) - 1
    else {
      fixed[component] = value
      if (value < lower || value > upper) {
        const end = point === 0 ? 'initial' : 'final'
        contradiction = `the ${end} value ${value} of ${model.states[i]!} lies outside its bounds [${lower}, ${upper}]`
      }
    }
  }
  let slack = componentOf.length
  const slackOf = model.boundary.map(({ lower, upper }) => (lower === upper ? -1 : slack++))
  const slacks = model.boundary.filter(({ lower, upper }) => lower !== upper)
  const bound = (side: 'lower' | 'upper'): Float64Array =>
    Float64Array.from([...componentOf.map((c) => model[side][c % size]!), ...slacks.map((slack) => slack[side])])
  return {
    count: slack,
    variableOf,
    slackOf,
    componentOf: Int32Array.from(componentOf),
    fixed,
    lower: bound('lower'),
    upper: bound('upper'),
    contradiction,
  }
}
