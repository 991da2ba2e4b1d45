import { haltonPoints } from '../sampling/halton.js'
import { latinHypercube } from '../sampling/latin-hypercube.js'
import { randomPoints } from '../sampling/random-points.js'
import { sobolPoints } from '../sampling/sobol.js'
import { CmaEs } from './cma-es.js'
import { DifferentialEvolution } from './differential-evolution.js'
import { Genetic } from './genetic.js'
import { createGrid } from './grid.js'
import { type Search, searchOf, type SearchSettings } from './search.js'
import { SimulatedAnnealing } from './simulated-annealing.js'
import { type HalvingOptions, SuccessiveHalving } from './successive-halving.js'

/** How to search. */
export const searchMethods = [
  ...(['random', 'grid', 'latin', 'sobol', 'halton', 'cmaes', 'ga', 'sa', 'de', 'successiveHalving'] as const),
] as const

/** The name of a method. */
export type SearchMethod = (typeof searchMethods)[number]

/** The search of that name. Throws a RangeError for a name that is none. */
export function createSearch(method: SearchMethod, settings: SearchSettings, halving?: HalvingOptions): Search {
  const { nSamples, dimension, seed } = settings
  switch (method) {
    case 'random':
      return searchOf(randomPoints(nSamples, dimension, seed))
    case 'grid':
      return createGrid(settings)
    case 'latin':
      return searchOf(latinHypercube(nSamples, dimension, seed))
    case 'sobol':
      return searchOf(sobolPoints(nSamples, dimension, { seed }))
    case 'halton':
      // The first point of all is a corner.
      return searchOf(haltonPoints(nSamples, dimension, 1))
    case 'cmaes':
      return new CmaEs(settings)
    case 'ga':
      return new Genetic(settings)
    case 'sa':
      return new SimulatedAnnealing(settings)
    case 'de':
      return new DifferentialEvolution(settings)
    case 'successiveHalving':
      return new SuccessiveHalving(settings, halving)
    default:
      method satisfies never
      throw new RangeError(`method is ${String(method)}; give one of ${searchMethods.join(', ')}`)
  }
}
