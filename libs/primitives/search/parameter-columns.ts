/** Values of one parameter, one for each point: float64 when all are numbers, which then travel as they are. */
export type ParameterColumn = Float64Array | readonly unknown[]

/** The parameters of many points, by parameter: a fraction of the bytes, and of the work to send them, of an object for each point. */
export interface ParameterColumns {
  readonly names: readonly string[]
  readonly columns: readonly ParameterColumn[]
}

/** The column of these values. */
export function columnOf(values: readonly unknown[]): ParameterColumn {
  return values.every((value) => typeof value === 'number') ? Float64Array.from(values) : values
}

/** The parameters of one of the points, as an objective takes them. */
export function parametersOfRow({ names, columns }: ParameterColumns, row: number): Record<string, unknown> {
  return Object.fromEntries(names.map((name, j) => [name, columns[j]![row]]))
}
