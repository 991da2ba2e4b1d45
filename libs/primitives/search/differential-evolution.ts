import { createRng, type Rng } from '#libs/domain'

import { latinHypercube } from '../sampling/latin-hypercube.js'
import { mirror } from './parameter-space.js'
import type { Candidate, Search, SearchSettings } from './search.js'

const crossoverRate = 0.9

/** Differential evolution, DE/rand/1/bin (Storn & Price 1997), with a step that is drawn from [0.5, 1] in each generation. */
export class DifferentialEvolution implements Search {
  readonly #size: number
  readonly #rng: Rng
  #left: number
  #points: Float64Array[] = []
  #values = new Float64Array(0)
  #trials: Float64Array[]

  constructor({ dimension, nSamples, seed, populationSize }: SearchSettings) {
    // Three others are needed to make a trial of.
    this.#size = Math.max(4, Math.min(nSamples, populationSize ?? Math.min(100, Math.max(16, 10 * dimension))))
    this.#rng = createRng(seed, 2 * dimension)
    this.#left = nSamples
    this.#trials = latinHypercube(this.#size, dimension, seed)
  }

  ask(): readonly Candidate[] {
    if (this.#left < this.#size) return []
    this.#left -= this.#size
    if (this.#points.length > 0) {
      const step = 0.5 + 0.5 * this.#rng.uniform()
      this.#trials = this.#points.map((point, index) => this.#trialOf(point, index, step))
    }
    return this.#trials.map((point) => ({ point }))
  }

  tell(values: Float64Array): void {
    if (this.#points.length === 0) {
      this.#points = this.#trials
      this.#values = values.slice()
      return
    }
    for (const [index, value] of values.entries()) {
      if (!(value <= this.#values[index]!)) continue
      this.#values[index] = value
      this.#points[index] = this.#trials[index]!
    }
  }

  #trialOf(point: Float64Array, index: number, step: number): Float64Array {
    const [a, b, c] = this.#others(index)
    const sure = this.#rng.integer(0, point.length)
    return point.map((value, j) => {
      if (this.#rng.uniform() >= crossoverRate && j !== sure) return value
      return mirror(a[j]! + step * (b[j]! - c[j]!))
    })
  }

  #others(index: number): [Float64Array, Float64Array, Float64Array] {
    const chosen: number[] = []
    while (chosen.length < 3) {
      const other = this.#rng.integer(0, this.#size)
      if (other !== index && !chosen.includes(other)) chosen.push(other)
    }
    const [a = 0, b = 0, c = 0] = chosen
    return [this.#points[a]!, this.#points[b]!, this.#points[c]!]
  }
}
