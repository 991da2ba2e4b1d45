/** max |vᵢ|, 0 for an empty vector, NaN when a NaN is in it. */
export function maxAbs(values: Float64Array): number {
  let largest = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!)
    if (!(size <= largest)) largest = size
    if (largest !== largest) return NaN
  }
  return largest
}

/** Σ |vᵢ|. */
export function sumAbs(values: Float64Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!)
  return sum
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
