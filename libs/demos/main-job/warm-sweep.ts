import type { Cluster } from 'costate'
import type { RefinedSolution } from './mesh-refinement.js'
import { orderByNeighbours } from './neighbour-order.js'
import type { SweepProblem } from './problems.js'
import type { Answer } from './sweep.js'
import { solveFrom } from './tasks.js'

/** The same problems, solved again from their neighbours' solutions. */
export interface WarmSweep {
  /** In the order of the problems. */
  readonly answers: readonly Answer[]
  /** From the first submit until the last result was in hand. */
  readonly durationMs: number
}

export interface WarmSweepOptions {
  readonly seed: number
  /** Names what is saved of this run. */
  readonly runId: string
}

/**
 * Solves the problems wave by wave: the solutions of a wave are saved as points of a study, and each problem of the next ones
 * begins from the nearest of them (`checkpoints.nearest`). The waves depend on the problems alone, so the answers do not depend on
 * the number of workers. A problem without a solved neighbour begins as in the sweep; one that fails is an answer, not an error.
 */
export async function runWarmSweep(
  cluster: Cluster,
  problems: readonly SweepProblem[],
  { seed, runId }: WarmSweepOptions,
): Promise<WarmSweep> {
  const startedAtMs = Date.now()
  const answers = Array.from<Answer>({ length: problems.length })
  const studyOf = (problem: SweepProblem): string => `studies/${runId}/${problem.kind}`
  for (const [nth, wave] of wavesOf(problems).entries()) {
    const neighbours = await Promise.all(
      wave.map((place) => findNeighbour(cluster, studyOf(problems[place]!), problems[place]!)),
    )
    const places = wave.map((place) => problems[place]!)
    const futures = cluster.with({ name: `warm sweep, wave ${nth + 1}`, seed }).map(solveFrom, places, neighbours)
    await Promise.all(
      futures.map(async (future, i) => {
        const place = wave[i]!
        const problem = problems[place]!
        try {
          const solution = await future.result()
          answers[place] = { problem, kind: 'finished', solution, ...(future.timing && { timing: future.timing }) }
          const { objective: cost, iterations: iteration } = solution
          const point = { cost, iteration, parameters: parametersOf(problem) }
          await cluster.checkpoints.save(`${studyOf(problem)}/${String(place).padStart(6, '0')}`, solution, point)
        } catch (thrown) {
          const error = thrown instanceof Error ? thrown : new Error(String(thrown))
          answers[place] = { problem, kind: 'failed', error, ...(future.timing && { timing: future.timing }) }
        }
      }),
    )
  }
  return { answers, durationMs: Date.now() - startedAtMs }
}

/** Waves of all kinds of problems together, those of a kind in the order of their parameters. */
function wavesOf(problems: readonly SweepProblem[]): number[][] {
  const byKind = new Map<string, number[]>()
  for (const [place, { kind }] of problems.entries()) byKind.set(kind, [...(byKind.get(kind) ?? []), place])
  const waves: number[][] = []
  const firstParameterOf = (place: number): number => parametersOf(problems[place]!)[0] ?? 0
  for (const places of byKind.values()) {
    places.sort((a, b) => firstParameterOf(a) - firstParameterOf(b) || a - b)
    for (const [nth, wave] of orderByNeighbours(places.length).entries()) {
      waves[nth] = [...(waves[nth] ?? []), ...wave.map((i) => places[i]!)]
    }
  }
  return waves
}

async function findNeighbour(
  cluster: Cluster,
  study: string,
  problem: SweepProblem,
): Promise<RefinedSolution | undefined> {
  const [nearest] = await cluster.checkpoints.nearest(study, parametersOf(problem), 1)
  return nearest && (await cluster.checkpoints.load<RefinedSolution>(nearest.name))?.value
}

/** Where the problem is in its family. The oscillators differ in their horizon, and in the guess that a neighbour replaces. */
function parametersOf(problem: SweepProblem): readonly number[] {
  switch (problem.kind) {
    case 'brysonDenham':
      return [problem.stateBound]
    case 'vanDerPol':
      return [problem.horizon]
    case 'rayleigh':
      return [0]
    default:
      return problem satisfies never
  }
}
