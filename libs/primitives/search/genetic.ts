import { createRng, type Rng } from '#libs/domain'

import { latinHypercube } from '../sampling/latin-hypercube.js'
import { type Candidate, ranked, type Search, type SearchSettings } from './search.js'

const crossoverIndex = 15
const mutationIndex = 20

/**
 * A genetic algorithm with real numbers for genes: binary tournaments, simulated binary crossover (Deb & Agrawal 1995), polynomial
 * mutation (Deb & Goyal 1996), and the best of parents and children survive.
 */
export class Genetic implements Search {
  readonly #size: number
  readonly #rng: Rng
  #left: number
  #parents: Float64Array[] = []
  #values = new Float64Array(0)
  #children: Float64Array[]

  constructor({ dimension, nSamples, seed, populationSize }: SearchSettings) {
    this.#size = Math.min(nSamples, populationSize ?? Math.min(100, Math.max(16, 10 * dimension)))
    this.#rng = createRng(seed, 2 * dimension)
    this.#left = nSamples
    this.#children = latinHypercube(this.#size, dimension, seed)
  }

  ask(): readonly Candidate[] {
    if (this.#left < this.#size) return []
    this.#left -= this.#size
    if (this.#parents.length > 0) this.#children = this.#breed()
    return this.#children.map((point) => ({ point }))
  }

  tell(values: Float64Array): void {
    const points = [...this.#parents, ...this.#children]
    const all = Float64Array.of(...this.#values, ...values)
    const survivors = ranked(all).slice(0, this.#size)
    this.#parents = survivors.map((index) => points[index]!)
    this.#values = Float64Array.from(survivors, (index) => all[index]!)
  }

  #breed(): Float64Array[] {
    const children: Float64Array[] = []
    while (children.length < this.#size) {
      const [first, second] = crossover(this.#winner(), this.#winner(), this.#rng)
      children.push(mutate(first, this.#rng), mutate(second, this.#rng))
    }
    return children.slice(0, this.#size)
  }

  /** The parents are ranked: the lower index wins. */
  #winner(): Float64Array {
    const { length } = this.#parents
    return this.#parents[Math.min(this.#rng.integer(0, length), this.#rng.integer(0, length))]!
  }
}

function crossover(a: Float64Array, b: Float64Array, rng: Rng): [Float64Array, Float64Array] {
  const [first, second] = [a.slice(), b.slice()]
  for (let j = 0; j < a.length; j++) {
    if (rng.uniform() < 0.5) continue
    const u = rng.uniform()
    const beta = (u <= 0.5 ? 2 * u : 1 / (2 * (1 - u))) ** (1 / (crossoverIndex + 1))
    first[j] = clip(0.5 * ((1 + beta) * a[j]! + (1 - beta) * b[j]!))
    second[j] = clip(0.5 * ((1 - beta) * a[j]! + (1 + beta) * b[j]!))
  }
  return [first, second]
}

function mutate(point: Float64Array, rng: Rng): Float64Array {
  return point.map((value) => {
    if (rng.uniform() >= 1 / point.length) return value
    const u = rng.uniform()
    const power = 1 / (mutationIndex + 1)
    return clip(value + (u < 0.5 ? (2 * u) ** power - 1 : 1 - (2 * (1 - u)) ** power))
  })
}

function clip(u: number): number {
  return Math.min(1, Math.max(0, u))
}
