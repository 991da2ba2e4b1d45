import type { Mesh } from './mesh.js'
import type { Model } from './model.js'
import type { Pattern } from './pattern.js'
import type { VariableMap } from './variable-map.js'

/** The Jacobian of defects and path equations: entry e is constant[e] + scale[e] · (Jacobians of the points)[source[e]]. */
export interface ConstraintEntries {
  readonly pattern: Pattern
  readonly constant: Float64Array
  readonly scale: Float64Array
  readonly source: Int32Array
}

/** The Hessian of the Lagrangian: entry e is (blocks of the points)[source[e]]. Collocation couples no two points in it. */
export interface PointEntries {
  readonly pattern: Pattern
  readonly source: Int32Array
}

export function arrangeConstraints(model: Model, mesh: Mesh, map: VariableMap): ConstraintEntries {
  const n = model.stateCount
  const s = n + model.controlCount
  const outputs = n + model.path.length
  const entries: Entry[] = []
  addDefects(entries, model, mesh, map)
  const firstPathRow = mesh.intervals * mesh.scheme.defects.length * n
  for (let point = 0; point < mesh.times.length; point++) {
    for (let i = n; i < outputs; i++) {
      const row = firstPathRow + point * model.path.length + i - n
      for (let component = 0; component < s; component++) {
        const variable = map.variableOf[point * s + component]!
        if (variable < 0 || model.derivatives.alwaysZero[i * s + component]) continue
        entries.push({ row, variable, constant: 0, scale: 1, source: (point * outputs + i) * s + component })
      }
    }
  }
  return {
    pattern: {
      rows: Int32Array.from(entries, ({ row }) => row),
      columns: Int32Array.from(entries, ({ variable }) => variable),
    },
    constant: Float64Array.from(entries, ({ constant }) => constant),
    scale: Float64Array.from(entries, ({ scale }) => scale),
    source: Int32Array.from(entries, ({ source }) => source),
  }
}

interface Entry {
  readonly row: number
  readonly variable: number
  readonly constant: number
  readonly scale: number
  readonly source: number
}

function addDefects(entries: Entry[], model: Model, mesh: Mesh, { variableOf }: VariableMap): void {
  const n = model.stateCount
  const s = n + model.controlCount
  const outputs = n + model.path.length
  const { defects, offsets } = mesh.scheme
  let row = 0
  for (let k = 0; k < mesh.intervals; k++) {
    for (const { state, slope } of defects) {
      for (let i = 0; i < n; i++, row++) {
        for (let e = 0; e < offsets.length * s; e++) {
          const j = Math.floor(e / s)
          const point = k * (offsets.length - 1) + j
          const variable = variableOf[point * s + (e % s)]!
          const constant = e % s === i ? state[j]! : 0
          const scale = model.derivatives.alwaysZero[i * s + (e % s)] ? 0 : mesh.steps[k]! * slope[j]!
          if (variable < 0 || (constant === 0 && scale === 0)) continue
          entries.push({ row, variable, constant, scale, source: (point * outputs + i) * s + (e % s) })
        }
      }
    }
  }
}

/** @param s components per point. */
export function arrangePoints(s: number, mesh: Mesh, { variableOf }: VariableMap): PointEntries {
  const rows: number[] = []
  const columns: number[] = []
  const source: number[] = []
  for (let point = 0, at = 0; point < mesh.times.length; point++) {
    for (let i = 0; i < s; i++) {
      for (let j = 0; j <= i; j++, at++) {
        const row = variableOf[point * s + i]!
        const column = variableOf[point * s + j]!
        if (row < 0 || column < 0) continue
        rows.push(row)
        columns.push(column)
        source.push(at)
      }
    }
  }
  return {
    pattern: { rows: Int32Array.from(rows), columns: Int32Array.from(columns) },
    source: Int32Array.from(source),
  }
}

/**
 * Elimination along time: the points of an interval but the last with their path equations, then its defects, then the next
 * interval; what ties the ends together comes last, and makes a few long rows.
 */
export function arrangeOrder(model: Model, mesh: Mesh, { variableOf, count, slackOf }: VariableMap): Int32Array {
  const n = model.stateCount
  const s = n + model.controlCount
  const paths = model.path.length
  const { defects, offsets } = mesh.scheme
  const stride = offsets.length - 1
  const points = mesh.times.length
  const defectsPerInterval = defects.length * n
  const firstPathRow = count + mesh.intervals * defectsPerInterval
  const firstBoundaryRow = firstPathRow + points * paths
  const order = new Int32Array(firstBoundaryRow + model.boundary.length)
  let place = 0
  for (let k = 0; k <= mesh.intervals; k++) {
    for (let point = k * stride; point < Math.min((k + 1) * stride, points); point++) {
      for (let component = point * s; component < (point + 1) * s; component++) {
        const variable = variableOf[component]!
        if (variable >= 0) order[variable] = place++
      }
      for (let i = 0; i < paths; i++) order[firstPathRow + point * paths + i] = place++
    }
    if (k === mesh.intervals) break
    for (let row = 0; row < defectsPerInterval; row++) order[count + k * defectsPerInterval + row] = place++
  }
  for (const slack of slackOf) if (slack >= 0) order[slack] = place++
  for (let row = firstBoundaryRow; row < order.length; row++) order[row] = place++
  return order
}
