import { createRng, type Rng } from '#libs/domain'

import { latinHypercube } from '../sampling/latin-hypercube.js'
import { mirror } from './parameter-space.js'
import type { Candidate, Search, SearchSettings } from './search.js'

const usualChains = 8
/** How much cooler it is at the end than at the beginning. */
const coolest = 1e-4
/** How much of the steps is left at the end. */
const smallest = 0.01

/**
 * Simulated annealing (Kirkpatrick, Gelatt & Vecchi 1983) in several chains at once, one proposal of each in a generation: normal
 * steps that shrink with the temperature, accepted by Metropolis' rule. The temperature falls geometrically from the spread of the
 * first values.
 */
export class SimulatedAnnealing implements Search {
  readonly #chains: number
  readonly #rng: Rng
  readonly #generations: number
  readonly #spread: number
  #generation = 0
  #points: Float64Array[] = []
  #values = new Float64Array(0)
  #proposals: Float64Array[]
  #warmest = 1

  constructor({ dimension, nSamples, seed, populationSize, start, spread = 0.3 }: SearchSettings) {
    this.#chains = Math.min(nSamples, populationSize ?? usualChains)
    this.#generations = Math.floor(nSamples / this.#chains)
    this.#rng = createRng(seed, 2 * dimension)
    this.#spread = spread
    this.#proposals = latinHypercube(this.#chains, dimension, seed)
    if (start) this.#proposals[0] = start.slice()
  }

  ask(): readonly Candidate[] {
    if (this.#generation >= this.#generations) return []
    if (this.#points.length > 0) {
      const step = this.#spread * smallest ** this.#progress
      this.#proposals = this.#points.map((point) => point.map((value) => mirror(value + step * this.#rng.normal())))
    }
    return this.#proposals.map((point) => ({ point }))
  }

  tell(values: Float64Array): void {
    this.#generation++
    if (this.#points.length === 0) {
      this.#points = this.#proposals
      this.#values = values.slice()
      this.#warmest = spreadOf(values)
      return
    }
    const temperature = this.#warmest * coolest ** this.#progress
    for (const [chain, value] of values.entries()) {
      const worse = value - this.#values[chain]!
      const chance = this.#rng.uniform()
      // A chain that failed so far takes whatever comes.
      if (this.#values[chain] !== Infinity && !(worse <= 0 || chance < Math.exp(-worse / temperature))) continue
      this.#values[chain] = value
      this.#points[chain] = this.#proposals[chain]!
    }
  }

  get #progress(): number {
    return this.#generation / this.#generations
  }
}

function spreadOf(values: Float64Array): number {
  const finite = values.filter(Number.isFinite)
  if (finite.length < 2) return 1
  return Math.max(...finite) - Math.min(...finite) || 1
}
