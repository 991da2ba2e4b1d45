import type { Mesh } from './mesh.js'
import type { Model } from './model.js'
import type { Pattern } from './pattern.js'
import type { VariableMap } from './variable-map.js'

/** The Jacobian of the defects: entry e is constant[e] + scale[e] · (slope Jacobian)[source[e]]. */
export interface DefectEntries {
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

export function arrangeDefects(model: Model, mesh: Mesh, { variableOf }: VariableMap): DefectEntries {
  const n = model.stateCount
  const s = n + model.controlCount
  const { defects, offsets } = mesh.scheme
  const rows: number[] = []
  const columns: number[] = []
  const constants: number[] = []
  const scales: number[] = []
  const source: number[] = []
  let row = 0
  for (let k = 0; k < mesh.intervals; k++) {
    for (const { state, slope } of defects) {
      for (let i = 0; i < n; i++, row++) {
        for (let e = 0; e < offsets.length * s; e++) {
          const j = Math.floor(e / s)
          const point = k * (offsets.length - 1) + j
          const variable = variableOf[point * s + (e % s)]!
          const constant = e % s === i ? state[j]! : 0
          const scale = model.derivatives.alwaysZero[i * s + (e % s)] ? 0 : mesh.step * slope[j]!
          if (variable < 0 || (constant === 0 && scale === 0)) continue
          rows.push(row)
          columns.push(variable)
          constants.push(constant)
          scales.push(scale)
          source.push(point * n * s + i * s + (e % s))
        }
      }
    }
  }
  return {
    pattern: { rows: Int32Array.from(rows), columns: Int32Array.from(columns) },
    constant: Float64Array.from(constants),
    scale: Float64Array.from(scales),
    source: Int32Array.from(source),
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

/** Elimination along time: the points of an interval but the last, then its defects, then the next interval. */
export function arrangeOrder(n: number, s: number, mesh: Mesh, { variableOf, count }: VariableMap): Int32Array {
  const { defects, offsets } = mesh.scheme
  const stride = offsets.length - 1
  const defectsPerInterval = defects.length * n
  const order = new Int32Array(count + mesh.intervals * defectsPerInterval)
  let place = 0
  for (let k = 0; k <= mesh.intervals; k++) {
    const end = Math.min((k + 1) * stride * s, variableOf.length)
    for (let component = k * stride * s; component < end; component++) {
      const variable = variableOf[component]!
      if (variable >= 0) order[variable] = place++
    }
    if (k === mesh.intervals) break
    for (let row = 0; row < defectsPerInterval; row++) order[count + k * defectsPerInterval + row] = place++
  }
  return order
}
