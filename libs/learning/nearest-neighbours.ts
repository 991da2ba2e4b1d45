import { countRows } from './scaling.js'

/** What is known: rows and their answers. */
export interface Examples {
  /** float64[rows, columns], row-major. */
  readonly x: Float64Array
  /** One for each row: a class from 0 on, or a value. */
  readonly y: ArrayLike<number>
  readonly columns: number
}

/**
 * The rows nearest to a point, by Euclidean distance, nearest first; of rows as near as each other the first comes first.
 * @param point float64[columns].
 * @param k how many, at most the rows that there are.
 * @returns the numbers of the rows.
 * @throws RangeError when an argument is malformed.
 */
export function findNeighbours({ x, columns }: Examples, point: Float64Array, k: number): number[] {
  const rows = countRows('x', x, columns)
  if (point.length !== columns) throw new RangeError(`the point has ${point.length} values; rows have ${columns}`)
  if (!Number.isSafeInteger(k) || k < 1 || k > rows) {
    throw new RangeError(`k is ${k}; it must be a whole number from 1 to the ${rows} rows that are known`)
  }
  const distances = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    let sum = 0
    for (let j = 0; j < columns; j++) sum += (x[row * columns + j]! - point[j]!) ** 2
    distances[row] = sum
  }
  const order = Array.from({ length: rows }, (_, row) => row)
  return order.sort((a, b) => distances[a]! - distances[b]! || a - b).slice(0, k)
}

/** The class that most of the k nearest rows have; of classes with as many votes the smallest (Cover & Hart 1967). */
export function classifyByNeighbours(examples: Examples, point: Float64Array, k: number): number {
  const votes = new Map<number, number>()
  for (const row of findNeighbours(examples, point, k))
    votes.set(examples.y[row]!, (votes.get(examples.y[row]!) ?? 0) + 1)
  const most = Math.max(...votes.values())
  return Math.min(...[...votes].filter(([, count]) => count === most).map(([label]) => label))
}

/** The mean answer of the k nearest rows. */
export function averageNeighbours(examples: Examples, point: Float64Array, k: number): number {
  return findNeighbours(examples, point, k).reduce((sum, row) => sum + examples.y[row]! / k, 0)
}
