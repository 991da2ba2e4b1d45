import type { Task } from '#libs/client'

import { type ChaosExpansion, describeExpansion } from './chaos/expansion.js'
import { totalDegreeIndices } from './chaos/multi-index.js'
import { latinDesign, project, regress, tensorQuadrature } from './chaos/projection.js'
import { type RandomInput, type StandardInput, standardInput } from './chaos/random-input.js'
import { checkTasks } from './check-tasks.js'
import { evaluateGeneration } from './evaluate-generation.js'
import { runOn, type RunOptions } from './run.js'
import { SearchHistory } from './search-history.js'

/** How to expand. */
export interface PolynomialChaosOptions<I extends Readonly<Record<string, RandomInput>>> extends RunOptions {
  /** Gives a finite number for values of the inputs. */
  readonly model: Task<[{ readonly [K in keyof I]: number }], number>
  /** Independent: uniform ones get Legendre polynomials, normal ones Hermite's. */
  readonly inputs: I
  /** Products of polynomials whose degrees sum to at most this; 3 unless given. */
  readonly degree?: number
  /** `quadrature` for few inputs (all combinations of nodes), `regression` for more; regression above three unless given. */
  readonly method?: 'quadrature' | 'regression'
  /** Nodes of each input, for quadrature; degree + 1 unless given. */
  readonly nodes?: number
  /** Evaluations, for regression; twice the number of terms unless given. */
  readonly samples?: number
  /** Of the samples; 0 unless given. */
  readonly seed?: bigint | number
}

/** An expansion and what it cost. */
export interface PolynomialChaosResult extends ChaosExpansion {
  readonly evaluations: number
}

/**
 * Polynomial chaos (Wiener 1938, Xiu & Karniadakis 2002): the model as a polynomial in its random inputs, from which mean, variance
 * and Sobol' indices follow at once. Coefficients by Gauss quadrature (Golub & Welsch 1969), or by least squares on a Latin
 * hypercube; the model is evaluated in parallel in batches that size themselves.
 *
 *     const { mean, variance, sobol } = await polynomialChaos({ cluster, model: settlingTime, degree: 4,
 *       inputs: { mass: { distribution: 'normal', mean: 1, std: 0.1 }, gain: { distribution: 'uniform', low: 1, high: 2 } } })
 *
 * @throws RangeError for settings that make no sense; Error when the model throws or gives no finite number, with the inputs.
 */
export async function polynomialChaos<const I extends Readonly<Record<string, RandomInput>>>(
  options: PolynomialChaosOptions<I>,
): Promise<PolynomialChaosResult> {
  const { degree = 3, seed = 0, model } = options
  checkTasks('polynomialChaos', { model })
  const inputs = Object.entries(options.inputs).map(([name, input]) => standardInput(name, input))
  checkOptions(options, inputs)
  const multiIndices = totalDegreeIndices(inputs.length, degree)
  const { method = inputs.length > 3 ? 'regression' : 'quadrature' } = options
  const { nodes = degree + 1, samples = 2 * multiIndices.length } = options
  if (method === 'regression' && samples < multiIndices.length) {
    throw new RangeError(
      `polynomialChaos: ${samples} samples for ${multiIndices.length} terms; give at least as many, better twice`,
    )
  }
  const points = method === 'regression' ? latinDesign(inputs, samples, seed) : tensorQuadrature(inputs, nodes)
  const parameters = points.map(({ t }) =>
    Object.fromEntries(inputs.map((input, j) => [input.name, input.fromStandard(t[j]!)])),
  )
  return await runOn('polynomialChaos', options, async (run) => {
    const history = new SearchHistory('')
    const objective = model as unknown as Task<[unknown, number?], unknown>
    const table = {
      names: inputs.map(({ name }) => name),
      columns: inputs.map(({ name }) => Float64Array.from(parameters, (own) => own[name]!)),
    }
    const generation = { from: 0, count: points.length, table, isHeard: true, objective, seed, history }
    await evaluateGeneration(run, generation, () => {
      options.onProgress?.({ done: history.count, failed: history.errors.size, total: points.length })
      return history.errors.size > 0
    })
    for (const [index, error] of history.errors) {
      throw new Error(`polynomialChaos: the model failed at ${JSON.stringify(parameters[index])}: ${error}`)
    }
    const values = Float64Array.from(points, (_, index) => history.valueOf(index))
    const fit = method === 'regression' ? regress : project
    const coefficients = fit(inputs, multiIndices, points, values)
    return { ...describeExpansion(inputs, multiIndices, coefficients), evaluations: points.length }
  })
}

function checkOptions(
  { degree = 3, nodes, samples }: Pick<PolynomialChaosOptions<never>, 'degree' | 'nodes' | 'samples'>,
  inputs: readonly StandardInput[],
): void {
  if (inputs.length === 0) throw new RangeError('polynomialChaos: there are no inputs: give at least one')
  for (const [name, value, least] of [
    ['degree', degree, 0],
    ['nodes', nodes, 1],
    ['samples', samples, 1],
  ] as const) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) continue
    throw new RangeError(`polynomialChaos: ${name} is ${value}; give a whole number from ${least}`)
  }
}
