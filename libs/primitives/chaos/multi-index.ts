/** How many terms an expansion may have: regressions on more are beyond what fits in memory. */
const mostTerms = 20_000

/**
 * The exponents of all products of polynomials whose degrees sum to at most `degree`, by total degree, then the first variables'
 * degrees from high to low; the constant first.
 * @throws RangeError when there are more than 20,000.
 */
export function totalDegreeIndices(dimension: number, degree: number): number[][] {
  const count = binomial(dimension + degree, degree)
  if (count > mostTerms) {
    throw new RangeError(
      `polynomialChaos: degree ${degree} in ${dimension} variables has ${count} terms, at most ${mostTerms} are allowed; ` +
        'lower the degree, or leave out variables',
    )
  }
  return Array.from({ length: degree + 1 }, (_, total) => ofTotal(dimension, total)).flat()
}

function ofTotal(dimension: number, total: number): number[][] {
  if (dimension === 1) return [[total]]
  return Array.from({ length: total + 1 }, (_, k) => total - k).flatMap((first) =>
    ofTotal(dimension - 1, total - first).map((rest) => [first, ...rest]),
  )
}

function binomial(n: number, k: number): number {
  let result = 1
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i
  return Math.round(result)
}
