import { createInlineCluster } from 'costate'
import { expect, test } from 'vitest'
import { checkAnswer } from './checked-answer.js'
import { listProblems, type SweepProblem } from './problems.js'
import type { ProgressCounts } from '../progress/progress-line.js'
import { chooseTrajectories } from './shown-trajectories.js'
import { runSweep, type Sweep } from './sweep.js'
import { judgeRun } from './verdict.js'

async function sweep(problems: readonly SweepProblem[], seed = 1): Promise<Sweep & { progress: ProgressCounts[] }> {
  await using cluster = createInlineCluster()
  const progress: ProgressCounts[] = []
  const options = { seed, slots: 2, onProgress: (counts: ProgressCounts) => void progress.push(counts) }
  return { ...(await runSweep(cluster, problems, options)), progress }
}

/** Out of the loose end of the sweep, where solves are quick. */
const fewProblems = listProblems(40).slice(-16)

test('every answer of a sweep agrees with the published value', async () => {
  const { answers, submittedAtMs, progress } = await sweep(fewProblems)
  const tasks = answers.map((answer, index) => checkAnswer(answer, index, submittedAtMs))
  expect(judgeRun(tasks)).toMatchObject({ isGood: true, reasons: [] })
  expect(progress[0]).toEqual({ done: 0, failed: 0, running: 2 })
  expect(progress.at(-1)).toEqual({ done: 16, failed: 0, running: 0 })
  for (const answer of answers) {
    expect(answer.timing!.endedAtMs).toBeGreaterThanOrEqual(answer.timing!.startedAtMs)
    if (answer.kind === 'finished') expect(answer.solution.x).toBeInstanceOf(Float64Array)
  }
})

test('the guesses belong to the seed and the place in the job', async () => {
  const problems = fewProblems.slice(-3)
  const solutionsOf = ({ answers }: Sweep): unknown[] =>
    answers.map((answer) => answer.kind === 'finished' && answer.solution)
  const once = solutionsOf(await sweep(problems))
  expect(solutionsOf(await sweep(problems))).toEqual(once)
  expect(solutionsOf(await sweep(problems, 2))).not.toEqual(once)
})

test('a task that fails is an answer of its own and harms no other', async () => {
  const possible: SweepProblem = { kind: 'brysonDenham', stateBound: 0.45 }
  const unpublished = { kind: 'vanDerPol', horizon: 3, guess: 1 } as unknown as SweepProblem
  const { answers, progress } = await sweep([possible, unpublished])
  expect(answers.map(({ kind }) => kind)).toEqual(['finished', 'failed'])
  expect(answers[1]).toMatchObject({ error: { kind: 'userError', errorName: 'RangeError' } })
  expect(progress.at(-1)).toEqual({ done: 1, failed: 1, running: 0 })
})

test('a handful of bounds and each nonlinear problem once are drawn, thinned out but from end to end', async () => {
  const tight = [0.16, 0.165, 0.17, 0.18, 0.19, 0.2].map(
    (stateBound) => ({ kind: 'brysonDenham', stateBound }) as const,
  )
  const { answers } = await sweep([...tight, ...fewProblems])
  const trajectories = chooseTrajectories(answers)
  const labels = trajectories.filter(({ problem }) => problem !== 'brysonDenham').map(({ label }) => label)
  expect(labels).toEqual(['van der Pol, T = 2', 'van der Pol, T = 5', 'Rayleigh, case A'])
  const bounds = trajectories.flatMap(({ taskIndex }) => {
    const { problem } = answers[taskIndex]!
    return problem.kind === 'brysonDenham' ? [problem.stateBound] : []
  })
  expect(bounds).toEqual([0.16, 0.17, 0.18, 0.2, 0.5])
  for (const { t, x, u, taskIndex } of trajectories) {
    const answer = answers[taskIndex]!
    if (answer.kind !== 'finished') throw new Error('a trajectory without a solution')
    expect(t.length).toBeLessThanOrEqual(402)
    expect([x.length, u.length]).toEqual([2 * t.length, t.length])
    expect([t[0], t.at(-1)]).toEqual([0, answer.solution.t.at(-1)])
    expect(x.at(-1)).toBe(answer.solution.x.at(-1))
  }
})
