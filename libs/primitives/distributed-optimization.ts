import { setImmediate } from 'node:timers/promises'

import type { Task } from '#libs/client'

import { checkTasks } from './check-tasks.js'
import { evaluateGeneration } from './evaluate-generation.js'
import { type Run, runOn, type RunOptions, type RunProgress } from './run.js'
import { createSearch, type SearchMethod } from './search/methods.js'
import { parametersOfRow, type ParameterTable } from './search/parameter-columns.js'
import { type ParameterRange, ParameterSpace, type ParametersOf } from './search/parameter-space.js'
import type { HalvingOptions } from './search/successive-halving.js'
import { type SearchEnd, SearchRecord } from './search-record.js'
import { SearchHistory } from './search-history.js'

/** What is searched. */
export type Ranges = Readonly<Record<string, ParameterRange>>

/** How to search. */
export interface OptimizationOptions<R extends Ranges> extends RunOptions<OptimizationProgress> {
  /**
   * Gives the value of parameters, a finite number; with successive halving, of parameters and of what may be spent on them. One
   * that throws or gives none is recorded, and the search goes on. `ctx.rng` is the stream of the evaluation's number.
   */
  readonly objective: Task<[ParametersOf<R>], number> | Task<[ParametersOf<R>, number], number>
  readonly parameterRanges: R
  /** Evaluations, at most; with successive halving, candidates. Searches by generations do whole ones. */
  readonly nSamples: number
  /** `latin` unless given. */
  readonly method?: SearchMethod
  /** Looks for the largest value, not the smallest. */
  readonly maximize?: boolean
  /** 0 unless given. */
  readonly seed?: bigint | number
  /** Evaluations in a generation of cmaes, ga and de; chains of sa. Each has its usual number. */
  readonly populationSize?: number
  /** Where cmaes and sa begin, as a place in each range from 0 to 1; the middle unless given. */
  readonly start?: readonly number[]
  /** How far cmaes and sa look at first, as a part of each range; 0.3 unless given. */
  readonly spread?: number
  /** For successive halving. */
  readonly halving?: HalvingOptions
  /** When to stop before all is evaluated. */
  readonly earlyStop?: EarlyStop
  /** Keeps the history in the checkpoint-store under this name: the next call with it goes on where this one ended. */
  readonly study?: string
  /** Forgets what is kept of the study. */
  readonly restart?: boolean
}

/** Ends a search early. */
export interface EarlyStop {
  /** A value that is good enough. */
  readonly target?: number
  /** So many evaluations in a row that were no better. */
  readonly patience?: number
}

/** How far a search is. */
export interface OptimizationProgress extends RunProgress {
  /** NaN while there is none. */
  readonly bestValue: number
}

/** An evaluation of the objective. */
export interface Evaluation<P> {
  /** Its number in the search, from 0. */
  readonly index: number
  readonly parameters: P
  /** NaN when it failed. */
  readonly value: number
  /** Why it failed. */
  readonly error?: string
  /** What it could spend, with successive halving. */
  readonly resource?: number
}

/** What a search found. */
export interface OptimizationResult<P> {
  readonly bestParameters: P
  readonly bestValue: number
  readonly best: Evaluation<P>
  /** All evaluations in the order of the search. */
  readonly history: readonly Evaluation<P>[]
  /** Those that failed. */
  readonly failures: readonly Evaluation<P>[]
  /** Why it ended; `converged` when the method had nothing more to ask. */
  readonly stopped: SearchEnd
}

/**
 * Searches the parameters of the best value, evaluating in parallel in batches that size themselves. Points and result depend on
 * the settings alone: they are the same to the last bit for any number of workers, and after a crash.
 *
 *     const { bestParameters, bestValue } = await distributedOptimization({ cluster, objective: trainAndEvaluate,
 *       parameterRanges: { rate: { low: 1e-4, high: 1e-1, scale: 'log' }, hidden: { low: 32, high: 256, integer: true },
 *         kind: { values: ['relu', 'tanh'] } }, nSamples: 100, method: 'latin' })
 *
 * Methods: random; grid; latin (McKay, Beckman & Conover 1979); sobol (Joe & Kuo 2008, shifted by the seed); halton; cmaes (Hansen
 * 2016); ga (SBX and polynomial mutation); sa (parallel chains); de (rand/1/bin); successiveHalving (Jamieson & Talwalkar 2016).
 *
 * @throws RangeError or TypeError for settings that make no sense; AggregateError when no evaluation gave a number; Error when
 * the study holds another search.
 */
export async function distributedOptimization<const R extends Ranges>(
  options: OptimizationOptions<R>,
): Promise<OptimizationResult<ParametersOf<R>>> {
  const { parameterRanges, method = 'latin', seed = 0, nSamples, study, onProgress, earlyStop } = options
  checkTasks('distributedOptimization', { objective: options.objective })
  const space = new ParameterSpace(parameterRanges)
  checkOptions(options, space)
  const start = options.start && Float64Array.from(options.start)
  const { populationSize, spread } = options
  const { dimension, sizes } = space
  const search = createSearch(
    method,
    { dimension, sizes, nSamples, seed, populationSize, start, spread },
    options.halving,
  )
  const isHeard = onProgress !== undefined || earlyStop !== undefined || study !== undefined
  const objective = options.objective as unknown as Task<[unknown, number?], unknown>
  return await runOn('distributedOptimization', options, async (run) => {
    const history = await openHistory(run, options, study)
    const record = new SearchRecord<ParametersOf<R>>(options)
    try {
      for (;;) {
        const candidates = search.ask()
        if (candidates.length === 0) return record.close(search.hasConverged ? 'converged' : 'nSamples')
        const from = record.length
        const generation = { from, candidates }
        const table = space.tableOf(candidates.map(({ point }) => point))
        const points = {
          ...{ from, count: candidates.length, table, isHeard, objective, seed, history },
          resourceAt:
            candidates[0]?.resource === undefined ? undefined : (place: number) => candidates[place]!.resource!,
        }
        const evaluated = evaluateGeneration(run, points, () => {
          if (onProgress) onProgress(record.progress(history, generation, nSamples))
          return record.isEnough(history, generation)
        })
        const [parameters] = await Promise.all([readAll<ParametersOf<R>>(table, candidates.length), evaluated])
        const values = record.take(history, generation, parameters)
        if (record.stopped) return record.close(record.stopped)
        search.tell(values)
      }
    } finally {
      await history.flush()
    }
  })
}

/** What results say of points: made once they are on their way, by who waits for them anyway. */
async function readAll<P>(table: ParameterTable, length: number): Promise<readonly P[]> {
  await setImmediate()
  return Array.from({ length }, (_, row) => parametersOfRow(table, row) as P)
}

async function openHistory<R extends Ranges>(
  run: Run,
  {
    objective,
    parameterRanges,
    method,
    seed = 0,
    nSamples,
    populationSize,
    start,
    spread,
    halving,
    maximize,
    restart = false,
  }: OptimizationOptions<R>,
  study: string | undefined,
): Promise<SearchHistory> {
  if (study === undefined) return new SearchHistory('')
  const settings = [parameterRanges, method, String(seed), nSamples, populationSize, start, spread, halving, maximize]
  const fingerprint = await run.cluster.digestOf(objective, settings)
  return await SearchHistory.open(run.cluster, study, fingerprint, restart)
}

function checkOptions<R extends Ranges>(
  { nSamples, method, start, spread, populationSize, earlyStop }: OptimizationOptions<R>,
  { dimension }: ParameterSpace,
): void {
  const refuse = (what: string, wanted: string): never => {
    throw new RangeError(`distributedOptimization: ${what}; give ${wanted}`)
  }
  if (!Number.isSafeInteger(nSamples) || nSamples < 1) refuse(`nSamples is ${nSamples}`, 'a whole number from 1')
  if (method === 'de' && nSamples < 4) refuse(`nSamples is ${nSamples}`, 'at least 4 for differential evolution')
  if (start && (start.length !== dimension || !start.every((place) => place >= 0 && place <= 1))) {
    refuse(`start is [${start.join(', ')}]`, `${dimension} places from 0 to 1`)
  }
  if (spread !== undefined && !(spread > 0)) refuse(`spread is ${spread}`, 'a number above 0')
  if (populationSize !== undefined && !(Number.isSafeInteger(populationSize) && populationSize >= 2)) {
    refuse(`populationSize is ${populationSize}`, 'a whole number from 2')
  }
  const { patience } = earlyStop ?? {}
  if (patience !== undefined && !(Number.isSafeInteger(patience) && patience >= 1)) {
    refuse(`earlyStop.patience is ${patience}`, 'a whole number from 1')
  }
}
