import { createRng, type Rng } from '#libs/domain'

/** Chance that depends on a seed alone. */
export class Dice {
  readonly #rng: Rng

  constructor(seed: number, stream: number) {
    this.#rng = createRng(seed, stream)
  }

  chance(probability: number): boolean {
    return this.#rng.uniform() < probability
  }

  /** An integer from low to high, both included. */
  between(low: number, high: number): number {
    return this.#rng.integer(low, high + 1)
  }

  /** One of these, or nothing when there are none. */
  pick<Item>(items: readonly Item[]): Item | undefined {
    return items.length === 0 ? undefined : items[this.between(0, items.length - 1)]
  }
}
