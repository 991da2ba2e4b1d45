import { NdArray, type TypedArray } from '#libs/task'

/** Rows with their answers: a matrix or a list of rows, and one answer for each. */
export interface LabelledRows<X = unknown, Y = unknown> {
  /** A matrix, one row per sample, or a list of rows. */
  readonly x: NdArray | readonly X[]
  /** One answer for each row. */
  readonly y: TypedArray | readonly Y[]
}

/** What can be divided into rows: a list of rows, or rows with their answers. */
export type Dataset = readonly unknown[] | LabelledRows

/** How many rows there are. Throws a RangeError when rows and answers are not as many. */
export function rowsOf(data: Dataset): number {
  if (isList(data)) return data.length
  const rows = isList(data.x) ? data.x.length : (data.x.shape[0] ?? 0)
  if (rows !== data.y.length) throw new RangeError(`the data has ${rows} rows in x and ${data.y.length} answers in y`)
  return rows
}

/** The answers, if the data has any. */
export function answersOf(data: Dataset): readonly unknown[] | undefined {
  return isList(data) ? undefined : Array.from(data.y as ArrayLike<unknown>)
}

/** The rows of these numbers, in the same form as the data. */
export function takeRows<D extends Dataset>(data: D, rows: Uint32Array): D {
  if (isList(data)) return pick(data, rows) as unknown as D
  return { x: takeOf(data.x, rows), y: pickNumbers(data.y, rows) } as unknown as D
}

function takeOf(x: LabelledRows['x'], rows: Uint32Array): LabelledRows['x'] {
  if (isList(x)) return pick(x, rows)
  const width = x.data.length / (x.shape[0] ?? 1)
  const taken = new (x.data.constructor as new (length: number) => Float64Array)(rows.length * width)
  const source = x.data as unknown as Float64Array
  for (const [k, row] of rows.entries()) taken.set(source.subarray(row * width, (row + 1) * width), k * width)
  return new NdArray(taken, [rows.length, ...x.shape.slice(1)])
}

function pickNumbers(y: LabelledRows['y'], rows: Uint32Array): LabelledRows['y'] {
  if (isList(y)) return pick(y, rows)
  const taken = new (y.constructor as new (length: number) => Float64Array)(rows.length)
  for (const [k, row] of rows.entries()) taken[k] = y[row] as number
  return taken
}

function pick(list: readonly unknown[], rows: Uint32Array): unknown[] {
  return Array.from(rows, (row) => list[row])
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}
