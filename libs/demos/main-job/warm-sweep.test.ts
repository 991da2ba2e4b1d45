import { createInlineCluster } from 'costate'
import { expect, test } from 'vitest'
import { checkAnswer } from './checked-answer.js'
import { coarsen } from './mesh-refinement.js'
import { listProblems, type SweepProblem } from './problems.js'
import { runSweep } from './sweep.js'
import { judgeRun } from './verdict.js'
import { compareWarm, sumOfFamilies } from './warm-figures.js'
import { runWarmSweep } from './warm-sweep.js'

/** Out of the loose end of the sweep, where solves are quick. */
const fewProblems = listProblems(40).slice(-16)

test('answers from neighbours are right too, and the oscillators take fewer iterations to them', async () => {
  await using cluster = createInlineCluster()
  const cold = await runSweep(cluster, fewProblems, { seed: 1, slots: 1, onProgress: () => undefined })
  const warm = await runWarmSweep(cluster, fewProblems, { seed: 1, runId: 'test' })
  const coldTasks = cold.answers.map((answer, index) => checkAnswer(answer, index, 0))
  const warmTasks = warm.answers.map((answer, index) => checkAnswer(answer, index, 0))

  expect(warm.answers.map(({ problem }) => problem)).toEqual(fewProblems)
  expect(judgeRun(warmTasks)).toEqual(judgeRun(coldTasks))
  expect(judgeRun(warmTasks).isGood).toBe(true)
  const figures = compareWarm(coldTasks, warmTasks)
  expect(figures).toMatchObject({ solved: 16, tasks: 16 })
  for (const { problem, coldIterations, warmIterations } of figures.families) {
    if (problem === 'brysonDenham') expect(warmIterations).toBeLessThanOrEqual(coldIterations)
    else expect(warmIterations).toBeLessThan(coldIterations)
  }
  const saved = await cluster.checkpoints.nearest('studies/test/vanDerPol', [5], 1)
  expect(saved).toMatchObject([{ parameters: [5], distance: 0, cost: expect.closeTo(1.433476211282, 5) as number }])
})

test("a problem that fails saves nothing, is in nobody's neighbourhood, and is an answer of its own", async () => {
  await using cluster = createInlineCluster()
  const unpublished = { kind: 'vanDerPol', horizon: 3, guess: 1 } as unknown as SweepProblem
  const { answers } = await runWarmSweep(cluster, [unpublished, fewProblems.at(-2)!], { seed: 1, runId: 'test' })
  expect(answers.map(({ kind }) => kind)).toEqual(['failed', 'finished'])
  expect(await cluster.checkpoints.list({ prefix: 'studies/test/' })).toHaveLength(1)
})

test('only what both solved is compared', () => {
  const timing = { workerId: 'w', slot: 0, attempt: 1, startedAtMs: 0, endedAtMs: 9 }
  const failed = checkAnswer({ problem: fewProblems[0]!, kind: 'failed', error: new Error('no'), timing }, 0, 0)
  const solved = { ...failed, status: 'finished' as const, iterations: 10 }
  const figures = compareWarm([solved, solved, failed], [{ ...solved, iterations: 4 }, failed, solved])
  expect(figures).toMatchObject({ solved: 1, tasks: 3 })
  expect(sumOfFamilies(figures)).toEqual({ tasks: 1, coldIterations: 10, warmIterations: 4, coldMs: 9, warmMs: 9 })
})

test('a coarser trajectory has the points of the finer one that both have', () => {
  const t = Float64Array.from({ length: 9 }, (_, i) => i)
  const x = Float64Array.from({ length: 18 }, (_, i) => i)
  const guess = coarsen({ objective: 0, intervals: 4, iterations: 1, t, x, u: t }, 2)
  expect(guess).toEqual({ x: Float64Array.of(0, 1, 4, 5, 8, 9, 12, 13, 16, 17), u: Float64Array.of(0, 2, 4, 6, 8) })
})
