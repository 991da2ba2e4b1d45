import { latinHypercube } from '../sampling/latin-hypercube.js'
import { type Candidate, ranked, type Search, type SearchSettings } from './search.js'

/** What a round spends. */
export interface HalvingOptions {
  /** What each candidate gets in the first round; 1 unless given. */
  readonly minResource?: number
  /** No round spends more on a candidate. */
  readonly maxResource: number
  /** One in so many goes on to the next round, with so many times the resource; 3 unless given. */
  readonly eta?: number
}

/**
 * Successive halving (Jamieson & Talwalkar 2016): `nSamples` candidates get little of a resource (iterations, rows), the best part
 * of them more, until one is left or the most is reached. Those that fail do not go on.
 */
export class SuccessiveHalving implements Search {
  readonly #eta: number
  readonly #maxResource: number
  #resource: number
  #candidates: Float64Array[]

  constructor({ dimension, nSamples, seed }: SearchSettings, options: HalvingOptions | undefined) {
    if (options === undefined) {
      throw new TypeError('successive halving needs halving: { maxResource }: the most that is spent on a candidate')
    }
    const { minResource = 1, maxResource, eta = 3 } = options
    if (!(minResource > 0 && maxResource >= minResource)) {
      throw new RangeError(`halving: minResource is ${minResource}, maxResource ${maxResource}; give 0 < min ≤ max`)
    }
    if (!(eta > 1)) throw new RangeError(`halving: eta is ${eta}; give a number above 1`)
    this.#eta = eta
    this.#maxResource = maxResource
    this.#resource = minResource
    this.#candidates = latinHypercube(nSamples, dimension, seed)
  }

  ask(): readonly Candidate[] {
    return this.#candidates.map((point) => ({ point, resource: this.#resource }))
  }

  tell(values: Float64Array): void {
    const isLast = this.#candidates.length === 1 || this.#resource >= this.#maxResource
    const keep = isLast ? 0 : Math.max(1, Math.floor(this.#candidates.length / this.#eta))
    const best = ranked(values)
      .filter((index) => values[index] !== Infinity)
      .slice(0, keep)
    this.#candidates = best.map((index) => this.#candidates[index]!)
    this.#resource = Math.min(this.#maxResource, this.#resource * this.#eta)
  }
}
