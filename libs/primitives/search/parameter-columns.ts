/**
 * Values of one parameter, one for each point. Whole numbers of 32 bits travel as such: to V8 those of a float64 array are never whole,
 * and an objective that counted up to one of them in a loop took 4 % longer.
 */
export type ParameterColumn = Int32Array | Float64Array | readonly unknown[]

/** The parameters of many points, by parameter. */
export interface ParameterTable {
  readonly names: readonly string[]
  readonly columns: readonly ParameterColumn[]
}

/** What is in a column; `same` is one value for all. */
export type ColumnKind = 'int32' | 'float64' | 'same' | 'values'

/**
 * Rows of a table as they travel. All numbers are in one array: batches with an array for each of eleven parameters took 2 ms longer to
 * their slots.
 */
export interface ParameterRows {
  readonly length: number
  readonly names: readonly string[]
  readonly kinds: readonly ColumnKind[]
  /** Columns of numbers one after the other: float64[columns · n]. */
  readonly numbers: Float64Array
  /** The other columns: their values, or the one that is the same for all. */
  readonly values: readonly unknown[]
}

/** The column of these values. */
export function columnOf(values: readonly unknown[]): ParameterColumn {
  return values.every((value) => typeof value === 'number') ? Float64Array.from(values) : values
}

/** The parameters of one of the points, as an objective takes them. */
export function parametersOfRow({ names, columns }: ParameterTable, row: number): Record<string, unknown> {
  return Object.fromEntries(names.map((name, j) => [name, columns[j]![row]]))
}

/** Takes rows out of a table. */
export function packRows({ names, columns }: ParameterTable, rows: readonly number[]): ParameterRows {
  const { length } = rows
  const kinds: ColumnKind[] = []
  const values: unknown[] = []
  const numbers = new Float64Array(length * columns.length)
  let at = 0
  for (const column of columns) {
    const first = column[rows[0]!]
    if (rows.every((row) => Object.is(column[row], first))) {
      kinds.push('same')
      values.push(first)
    } else if (isNumeric(column)) {
      let isWhole = true
      for (const row of rows) {
        const value = column[row]!
        numbers[at++] = value
        isWhole &&= isInt32(value)
      }
      kinds.push(isWhole ? 'int32' : 'float64')
    } else {
      kinds.push('values')
      values.push(rows.map((row) => column[row]))
    }
  }
  return { length, names, kinds, numbers: numbers.slice(0, at), values }
}

/** The table of rows that have arrived. */
export function unpackRows({ length, names, kinds, numbers, values }: ParameterRows): ParameterTable {
  let numeric = 0
  let other = 0
  const columns = kinds.map((kind) => {
    if (kind === 'values') return values[other++] as readonly unknown[]
    if (kind === 'same') return Array<unknown>(length).fill(values[other++])
    const column = numbers.subarray(numeric * length, ++numeric * length)
    return kind === 'int32' ? Int32Array.from(column) : column
  })
  return { names, columns }
}

function isNumeric(column: ParameterColumn): column is Int32Array | Float64Array {
  return ArrayBuffer.isView(column)
}

/** Also −0 is none. */
function isInt32(value: number): boolean {
  return Object.is(value | 0, value)
}
