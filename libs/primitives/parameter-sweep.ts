import type { Task } from '#libs/client'

import { type FailedInput, faultTolerantMap, type FaultTolerantMapOptions } from './fault-tolerant-map.js'
import { type Combination, parameterGrid, type ParameterValues } from './parameter-grid.js'

/** How to sweep. */
export interface ParameterSweepOptions extends FaultTolerantMapOptions {
  /** How often a point that fails is tried again; never unless given. */
  readonly maxRetries?: number
}

/** A point of a sweep with its result. */
export interface SweepPoint<P, R> {
  readonly parameters: P
  readonly result: R
}

/** What a sweep found. */
export interface ParameterSweepResult<P, R> {
  /** The points that were computed, in the order of grid or table. */
  readonly points: readonly SweepPoint<P, R>[]
  /** The points that failed, with their errors. */
  readonly failures: readonly FailedInput<P>[]
}

/**
 * Runs a task at each point of a grid (all combinations of the parameters' values, the last changing fastest) or of a table (one
 * row per point). A point that fails is listed, and the sweep goes on.
 *
 *     const { points } = await parameterSweep(design, { grid: { q: [1, 10], r: [0.1, 1] } }, { cluster })
 *     const { points } = await parameterSweep(design, { table: [{ q: 1, r: 0.1 }, { q: 3, r: 1 }] }, { cluster })
 *
 * @throws RangeError for a grid or a table without points; as `parameterGrid`.
 */
export async function parameterSweep<P extends Readonly<Record<string, unknown>>, R>(
  task: Task<[P], R>,
  over: { readonly table: readonly P[] },
  options?: ParameterSweepOptions,
): Promise<ParameterSweepResult<P, R>>
export async function parameterSweep<
  const G extends Readonly<Record<string, ParameterValues>>,
  P extends Readonly<Record<string, unknown>>,
  R,
>(
  task: Combination<G> extends P ? Task<[P], R> : never,
  over: { readonly grid: G },
  options?: ParameterSweepOptions,
): Promise<ParameterSweepResult<Combination<G>, R>>
export async function parameterSweep(
  task: Task<[never], unknown>,
  over: { readonly table: readonly unknown[] } | { readonly grid: Readonly<Record<string, ParameterValues>> },
  options: ParameterSweepOptions = {},
): Promise<ParameterSweepResult<unknown, unknown>> {
  // Programs without types hand over the ranges themselves.
  if (!('grid' in over || 'table' in over)) {
    throw new TypeError('parameterSweep: give what to sweep as { grid: … } or { table: […] }')
  }
  const rows = 'grid' in over ? parameterGrid(over.grid) : over.table
  if (rows.length === 0) throw new RangeError('parameterSweep: the table has no rows: give at least one')
  const call = task as unknown as Task<[unknown], unknown>
  const { results, failures } = await faultTolerantMap(call, rows, {
    ...{ name: 'parameterSweep', maxRetries: 0 },
    ...options,
  })
  const failed = new Set(failures.map(({ index }) => index))
  const points = rows.flatMap((parameters, index) =>
    failed.has(index) ? [] : [{ parameters, result: results[index] }],
  )
  return { points, failures }
}
