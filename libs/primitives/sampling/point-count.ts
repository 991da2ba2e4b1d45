/** @throws RangeError for what is no number of points or dimensions. */
export function checkPoints(name: string, n: number, d: number, mostDimensions = Infinity): void {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`${name}: n is ${n}; give a whole number of points`)
  if (!Number.isSafeInteger(d) || d < 1 || d > mostDimensions) {
    throw new RangeError(`${name}: d is ${d}; give a whole number of dimensions from 1 to ${mostDimensions}`)
  }
}
