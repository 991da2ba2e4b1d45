import type {
  EarlyStop,
  Evaluation,
  OptimizationOptions,
  OptimizationProgress,
  OptimizationResult,
} from './distributed-optimization.js'
import type { Candidate } from './search/search.js'
import type { SearchHistory } from './search-history.js'

/** Why a search ended. */
export type SearchEnd = 'nSamples' | 'converged' | 'target' | 'patience'

type Terms = Pick<OptimizationOptions<never>, 'maximize' | 'earlyStop'>

/** The generation that is evaluated. */
interface Points {
  readonly from: number
  readonly candidates: readonly Candidate[]
}

/** The best so far. */
interface Lead {
  readonly index: number
  readonly value: number
  readonly resource: number
}

const nobody: Lead = { index: -1, value: NaN, resource: 0 }

/** What a search has evaluated in the order of its numbers, and when that is enough. */
export class SearchRecord<P> {
  readonly #sign: number
  readonly #earlyStop: EarlyStop | undefined
  readonly #evaluations: Evaluation<P>[] = []
  #lead = nobody
  #failed = 0
  /** Why it is enough. */
  stopped: SearchEnd | undefined

  constructor({ maximize = false, earlyStop }: Terms) {
    this.#sign = maximize ? -1 : 1
    this.#earlyStop = earlyStop
  }

  get length(): number {
    return this.#evaluations.length
  }

  /** Takes a generation up to where it is enough. Gives the values to minimise, Infinity for those that failed. */
  take(history: SearchHistory, { from, candidates }: Points, parameters: readonly P[]): Float64Array {
    const values = new Float64Array(parameters.length)
    for (const [place, own] of parameters.entries()) {
      const index = from + place
      const value = history.valueOf(index)
      values[place] = Number.isNaN(value) ? Infinity : this.#sign * value
      const error = history.errors.get(index)
      const resource = candidates[place]?.resource
      this.#evaluations.push({
        ...{ index, parameters: own, value },
        ...(error === undefined ? {} : { error }),
        ...(resource === undefined ? {} : { resource }),
      })
      if (error !== undefined) this.#failed++
      this.#lead = this.#follow(this.#lead, { index, value, resource: resource ?? 0 })
      this.stopped = this.#reasonAt(index, this.#lead)
      if (this.stopped) break
    }
    return values
  }

  /** Whether what is there without a gap is enough: then the rest of the generation need not be evaluated. */
  isEnough(history: SearchHistory, { from, candidates }: Points): boolean {
    if (this.#earlyStop === undefined) return false
    let lead = this.#lead
    for (let place = 0; place < candidates.length && history.has(from + place); place++) {
      const index = from + place
      lead = this.#follow(lead, { index, value: history.valueOf(index), resource: candidates[place]?.resource ?? 0 })
      if (this.#reasonAt(index, lead)) return true
    }
    return false
  }

  progress(history: SearchHistory, { from, candidates }: Points, total: number): OptimizationProgress {
    let [done, failed, lead] = [from, this.#failed, this.#lead]
    for (const [place, { resource }] of candidates.entries()) {
      const index = from + place
      if (!history.has(index)) continue
      done++
      const value = history.valueOf(index)
      if (Number.isNaN(value)) failed++
      lead = this.#follow(lead, { index, value, resource: resource ?? 0 })
    }
    return { done, failed, total: Math.max(total, from + candidates.length), bestValue: lead.value }
  }

  close(stopped: SearchEnd): OptimizationResult<P> {
    const failures = this.#evaluations.filter(({ error }) => error !== undefined)
    const best = this.#evaluations[this.#lead.index]
    if (best === undefined) {
      const reasons = failures.slice(0, 10).map(({ error, index }) => new Error(`evaluation ${index}: ${error ?? ''}`))
      const first = failures[0]?.error ?? ''
      const message = `distributedOptimization: none of ${this.length} evaluations gave a number; the first: ${first}`
      throw new AggregateError(reasons, message)
    }
    const { parameters: bestParameters, value: bestValue } = best
    return { bestParameters, bestValue, best, history: this.#evaluations, failures, stopped }
  }

  /** Who could spend more counts more; of equal ones the first is the best. */
  #follow(lead: Lead, next: Lead): Lead {
    if (Number.isNaN(next.value)) return lead
    if (lead.index < 0 || next.resource > lead.resource) return next
    return next.resource === lead.resource && this.#sign * next.value < this.#sign * lead.value ? next : lead
  }

  #reasonAt(index: number, lead: Lead): SearchEnd | undefined {
    const { target, patience } = this.#earlyStop ?? {}
    // While nothing has succeeded there is nothing to be patient about.
    if (lead.index < 0) return undefined
    if (target !== undefined && this.#sign * lead.value <= this.#sign * target) return 'target'
    return patience !== undefined && index - lead.index >= patience ? 'patience' : undefined
  }
}
